"""Splits: partitions of a search space into subspaces, with exactly uniform draws inside each."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import combinations
from math import prod
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.errors import SettingsError
from surrogate_nas.space.counting import shares
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.supernet.splits.bands import occurring_counts
from surrogate_nas.supernet.splits.boxes import Box, box_name, box_population, draw_box, in_box, whole_box


class Split(ABC):
    """A partition of a space into K subspaces.

    Call ``assign`` to learn which subspace an architecture belongs to, and ``sample`` to draw architectures to train
    from one of them; architectures without a path from input to output are assigned, but never drawn.

    Attributes:
        names: A few words on each subspace, length K.
    """

    names: tuple[str, ...]

    @property
    def groups(self) -> int:
        """Number of subspaces K."""
        return len(self.names)

    @abstractmethod
    def assign(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Index of the subspace of each code, shape (N,)."""

    @abstractmethod
    def population(self) -> tuple[int, ...]:
        """Number of architectures that ``sample`` draws from in each subspace, length K."""

    @abstractmethod
    def sample(self, group: int, count: int, rng: np.random.Generator) -> Codes:
        """Uniform draws with replacement from one subspace, shape (count, D)."""


class _SpaceSplit(Split):
    """A split of a space that can be listed, or whose subspaces can be counted and drawn from without."""

    def __init__(self, space: Space, names: tuple[str, ...]) -> None:
        self._space = space
        self.names = names
        self._members: list[NDArray[np.int64]] | None = None
        if space.listable:
            codes = space.all_codes()
            groups, connected = self.assign(codes), space.is_connected(codes)
            self._members = [np.flatnonzero((groups == group) & connected) for group in range(len(names))]
        for name, count in zip(names, self.population(), strict=True):
            if not count:
                raise SettingsError(
                    f"the subspace '{name}' of {space.name} is empty: no network in it leads from input to output;"
                    " choose another split"
                )

    def population(self) -> tuple[int, ...]:
        if self._members is not None:
            return tuple(len(members) for members in self._members)
        return tuple(self._count(group) for group in range(self.groups))

    def sample(self, group: int, count: int, rng: np.random.Generator) -> Codes:
        if self._members is None:
            return self._draw(group, count, rng)
        members = self._members[group]
        return self._space.codes_at(members[rng.integers(len(members), size=count)])

    @abstractmethod
    def _count(self, group: int) -> int:
        """Connected architectures of a subspace, without listing the space."""

    @abstractmethod
    def _draw(self, group: int, count: int, rng: np.random.Generator) -> Codes:
        """Uniform draws from a subspace, shape (count, D), without listing the space."""


@final
class BoxSplit(_SpaceSplit):
    """Subspaces that are boxes: some choices of every decision, all combined.

    What splitting edges leads to, be it all choices of one edge (FS-NAS, arXiv 2006.06863) or two halves of one edge
    after another (GM-NAS, arXiv 2203.15207).

    Args:
        space: The space.
        boxes: The allowed choices of every decision for each subspace, shape (K, D, some).

    Raises:
        SettingsError: If the boxes are not a partition of the space, or nothing can be drawn from one.
    """

    def __init__(self, space: Space, boxes: Sequence[Box]) -> None:
        apart = all(
            any(not set(one) & set(other) for one, other in zip(first, second, strict=True))
            for first, second in combinations(boxes, 2)
        )
        if not apart or sum(prod(map(len, box)) for box in boxes) != space.size:
            raise SettingsError(f"subspaces must hold every architecture of {space.name} exactly once (got {boxes})")
        self.boxes = tuple(boxes)
        super().__init__(space, tuple(box_name(space, box) for box in boxes))

    def assign(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Index of the subspace of each code, shape (N,)."""
        checked = self._space.check(codes)
        return np.asarray(np.stack([in_box(checked, box) for box in self.boxes]).argmax(axis=0), dtype=np.int64)

    def _count(self, group: int) -> int:
        return box_population(self._space, self.boxes[group])

    def _draw(self, group: int, count: int, rng: np.random.Generator) -> Codes:
        return draw_box(self.boxes[group], count, rng)


@final
class NoSplit(_SpaceSplit):
    """The whole space as one subspace: a one-shot supernet."""

    def __init__(self, space: Space) -> None:
        super().__init__(space, ("whole space",))

    def assign(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Index of the subspace of each code, shape (N,)."""
        return np.zeros(len(self._space.check(codes)), dtype=np.int64)

    def _count(self, group: int) -> int:  # noqa: ARG002 - there is one
        return box_population(self._space, whole_box(self._space))

    def _draw(self, group: int, count: int, rng: np.random.Generator) -> Codes:  # noqa: ARG002 - there is one
        return draw_box(whole_box(self._space), count, rng)


@final
class NonlinearSplit(_SpaceSplit):
    """Subspaces by the number of nonlinear functions (EFS-NAS, arXiv 2412.14678).

    Args:
        space: The space.
        bands: The counts that make up each subspace; together exactly the counts that occur, each once.

    Raises:
        SettingsError: If the bands are not such a partition.
    """

    def __init__(self, space: Space, bands: Sequence[Sequence[int]]) -> None:
        occurring = occurring_counts(space)
        if sorted(count for band in bands for count in band) != occurring or not all(bands):
            raise SettingsError(
                f"supernet.bands must hold each nonlinear count of {space.name} ({', '.join(map(str, occurring))})"
                f" exactly once, with no empty band (got {[list(band) for band in bands]})"
            )
        self._bands = tuple(tuple(band) for band in bands)
        self._group_of = np.zeros(max(occurring) + 1, dtype=np.int64)
        for group, band in enumerate(self._bands):
            self._group_of[list(band)] = group
        super().__init__(space, tuple(f"{'/'.join(map(str, band))} nonlinear" for band in bands))

    def assign(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Index of the subspace of each code, shape (N,)."""
        return np.asarray(self._group_of[self._space.nonlinear_count(codes)])

    def _count(self, group: int) -> int:
        ways = self._space.counts.populations()
        return sum(ways.get(count, 0) for count in self._bands[group])

    def _draw(self, group: int, count: int, rng: np.random.Generator) -> Codes:
        ways, band = self._space.counts.populations(), self._bands[group]
        chosen = rng.choice(len(band), size=count, p=shares([ways.get(each, 0) for each in band]))
        codes = np.zeros((count, self._space.num_decisions), dtype=np.int8)
        for position in np.unique(chosen):
            rows = np.flatnonzero(chosen == position)
            codes[rows] = self._space.counts.draw(band[position], len(rows), rng)
        return codes

"""Splits: partitions of a search space into subspaces, with exactly uniform draws inside each."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import combinations
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.errors import SettingsError
from surrogate_nas.space.space import Codes, Space


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
    def population(self) -> NDArray[np.int64]:
        """Number of architectures that ``sample`` draws from in each subspace, shape (K,)."""

    @abstractmethod
    def sample(self, group: int, count: int, rng: np.random.Generator) -> Codes:
        """Uniform draws with replacement from one subspace, shape (count, D)."""


class _ListedSplit(Split):
    """A split of a space that can be listed."""

    def __init__(self, space: Space, names: tuple[str, ...], assignment: NDArray[np.int64]) -> None:
        self._space = space
        self.names = names
        self._assignment = assignment
        connected = space.is_connected(space.all_codes())
        self._members = [np.flatnonzero((assignment == group) & connected) for group in range(len(names))]
        for name, members in zip(names, self._members, strict=True):
            if len(members) == 0:
                raise SettingsError(
                    f"the subspace '{name}' of {space.name} is empty: no network in it leads from input to output;"
                    " choose another split"
                )

    def assign(self, codes: ArrayLike) -> NDArray[np.int64]:
        return self._assignment[self._space.index(codes)]

    def population(self) -> NDArray[np.int64]:
        return np.array([len(members) for members in self._members])

    def sample(self, group: int, count: int, rng: np.random.Generator) -> Codes:
        members = self._members[group]
        return self._space.codes_at(members[rng.integers(len(members), size=count)])


@final
class NoSplit(_ListedSplit):
    """The whole space as one subspace: a one-shot supernet."""

    def __init__(self, space: Space) -> None:
        super().__init__(space, ("whole space",), np.zeros(space.size, dtype=np.int64))


Box = tuple[tuple[int, ...], ...]


def whole_box(space: Space) -> Box:
    """All choices of all decisions, length D."""
    return tuple(tuple(range(len(decision.choices))) for decision in space.decisions)


def in_box(codes: Codes, box: Box) -> NDArray[np.bool_]:
    """Whether each code, shape (N, D), takes an allowed choice in every decision, shape (N,)."""
    inside = np.ones(len(codes), dtype=bool)
    for column, allowed in enumerate(box):
        inside &= np.isin(codes[:, column], allowed)
    return inside


@final
class BoxSplit(_ListedSplit):
    """Subspaces that are boxes: some choices of every decision, all combined.

    What splitting edges leads to, be it all choices of one edge (FS-NAS, arXiv 2006.06863) or two halves of one edge
    after another (GM-NAS, arXiv 2203.15207).

    Args:
        space: A space that can be listed.
        boxes: The allowed choices of every decision for each subspace, shape (K, D, some).

    Raises:
        SettingsError: If the boxes are not a partition of the space, or nothing can be drawn from one.
    """

    def __init__(self, space: Space, boxes: Sequence[Box]) -> None:
        codes = space.all_codes()
        inside = np.stack([in_box(codes, box) for box in boxes])
        if not (inside.sum(axis=0) == 1).all():
            raise SettingsError(f"subspaces must hold every architecture of {space.name} exactly once (got {boxes})")
        self.boxes = tuple(boxes)
        names = tuple(_box_name(space, box) for box in boxes)
        super().__init__(space, names, inside.argmax(axis=0))


def _box_name(space: Space, box: Box) -> str:
    limits = [
        f"{'/'.join(decision.choices[choice] for choice in allowed)} on {decision.name}"
        for decision, allowed in zip(space.decisions, box, strict=True)
        if len(allowed) < len(decision.choices)
    ]
    return "; ".join(limits) or "whole space"


def edge_boxes(space: Space, edge: str | None) -> tuple[Box, ...]:
    """One box for every choice of one decision (FS-NAS, arXiv 2006.06863).

    Args:
        space: The space.
        edge: Name of the decision; the first where none is given.

    Raises:
        SettingsError: If there is no such decision.
    """
    names = [decision.name for decision in space.decisions]
    if edge is not None and edge not in names:
        raise SettingsError(f"supernet.split_edge must be one of {', '.join(names)} (got {edge!r})")
    column = 0 if edge is None else names.index(edge)
    box = whole_box(space)
    return tuple((*box[:column], (choice,), *box[column + 1 :]) for choice in box[column])


@final
class NonlinearSplit(_ListedSplit):
    """Subspaces by the number of nonlinear functions (EFS-NAS, arXiv 2412.14678).

    Args:
        space: A space that can be listed.
        bands: The counts that make up each subspace; together exactly the counts that occur, each once.

    Raises:
        SettingsError: If the bands are not such a partition.
    """

    def __init__(self, space: Space, bands: Sequence[Sequence[int]]) -> None:
        counts = space.nonlinear_count(space.all_codes())
        occurring = np.unique(counts).tolist()
        if sorted(count for band in bands for count in band) != occurring or not all(bands):
            raise SettingsError(
                f"supernet.bands must hold each nonlinear count of {space.name} ({', '.join(map(str, occurring))})"
                f" exactly once, with no empty band (got {[list(band) for band in bands]})"
            )
        group_of = {count: group for group, band in enumerate(bands) for count in band}
        names = tuple(f"{'/'.join(map(str, band))} nonlinear" for band in bands)
        super().__init__(space, names, np.array([group_of[count] for count in counts.tolist()], dtype=np.int64))


def equal_bands(space: Space, groups: int) -> tuple[tuple[int, ...], ...]:
    """Cuts the nonlinear counts of a space into bands of neighbours whose largest population is smallest.

    Populations are of architectures that can be drawn; counts that only disconnected ones have join the band above.

    Args:
        space: A space that can be listed.
        groups: Number of bands.

    Raises:
        SettingsError: If there are fewer counts than bands.
    """
    codes = space.all_codes()
    count_of = space.nonlinear_count(codes)
    counts, populations = np.unique(count_of[space.is_connected(codes)], return_counts=True)
    if groups > len(counts):
        raise SettingsError(
            f"supernet.groups must be at most {len(counts)}, how many nonlinear counts {space.name} has (got {groups})"
        )
    cuts = min(
        combinations(range(1, len(counts)), groups - 1),
        key=lambda cut: max(part.sum() for part in np.split(populations, cut)),
    )
    occurring = np.unique(count_of)
    ends = np.searchsorted(occurring, counts[[cut - 1 for cut in cuts]], side="right")
    return tuple(tuple(band.tolist()) for band in np.split(occurring, ends))

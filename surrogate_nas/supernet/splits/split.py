"""Splits: partitions of a search space into subspaces, with exactly uniform draws inside each, and ways to split."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.errors import SettingsError
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.supernet.rule import Inheritance, Rule, RuleSettings


class Split(ABC):
    """A partition of a space into K subspaces.

    Call ``assign`` to find the subspace of an architecture, and ``sample`` to draw architectures to train
    from one of them; architectures without a path from input to output are assigned, but never drawn.

    Attributes:
        names: A short name of each subspace, length K.
    """

    names: tuple[str, ...]

    @property
    def groups(self) -> int:
        """Number of subspaces K."""
        return len(self.names)

    @property
    def titles(self) -> tuple[str, ...]:
        """The names as a sentence has them, length K."""
        return self.names

    @abstractmethod
    def assign(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Returns the index of the subspace of each code, shape (N,)."""

    @abstractmethod
    def population(self) -> tuple[int, ...]:
        """Returns the number of architectures that ``sample`` draws from in each subspace, length K."""

    @abstractmethod
    def sample(self, group: int, count: int, rng: np.random.Generator) -> Codes:
        """Returns uniform draws with replacement from one subspace, shape (count, D)."""


class SpaceSplit(Split):
    """Split of a space that can be enumerated, or whose subspaces can be counted and drawn from directly."""

    def __init__(self, space: Space, names: tuple[str, ...]) -> None:
        self._space = space
        self.names = names
        self._members: list[NDArray[np.int64]] | None = None
        if space.listable:
            codes = space.all_codes()
            groups, drawn = self.assign(codes), space.is_connected(codes) & space.is_drawn(codes)
            self._members = [np.flatnonzero((groups == group) & drawn) for group in range(len(names))]
        for name, count in zip(names, self.population(), strict=True):
            if not count:
                raise SettingsError(
                    f"the subspace '{name}' of {space.name} is empty: no network in it leads from input to output;"
                    " choose another split"
                )

    def population(self) -> tuple[int, ...]:
        """Returns the number of architectures that ``sample`` draws from in each subspace, length K."""
        if self._members is not None:
            return tuple(len(members) for members in self._members)
        return tuple(self._count(group) for group in range(self.groups))

    def sample(self, group: int, count: int, rng: np.random.Generator) -> Codes:
        """Returns uniform draws with replacement from one subspace, shape (count, D)."""
        if self._members is None:
            return self._draw(group, count, rng)
        members = self._members[group]
        return self._space.codes_at(members[rng.integers(len(members), size=count)])

    @abstractmethod
    def _count(self, group: int) -> int:
        """Returns the number of connected architectures of a subspace, without enumerating the space."""

    @abstractmethod
    def _draw(self, group: int, count: int, rng: np.random.Generator) -> Codes:
        """Returns uniform draws from a subspace, shape (count, D), without enumerating the space."""


class SplitRule(Rule, ABC):
    """Rule that splits a space, and its effects on the stage.

    Without a share of steps before the split every sub-supernet begins by itself. With one, and a split that is known
    from the beginning, all of them begin from one parent, which trains the whole space. A split that is decided late
    halves the subspaces of parents that are trained, round by round, and each half begins from the parent it is cut
    from.

    Attributes:
        splits: Whether there is more than one subspace.
        by_boxes: Whether every subspace is a box, some choices of every decision.
        by_counts: Whether every subspace is a band of nonlinear counts.
        is_late: Whether the subspaces are decided by what is trained.
        parent_share: Share of the steps before the last split, where the settings leave it open.
        inherits: What sub-supernets take over at the last split, where the settings leave it open.
    """

    splits: ClassVar[bool] = True
    by_boxes: ClassVar[bool] = False
    by_counts: ClassVar[bool] = False
    is_late: ClassVar[bool] = False
    parent_share: ClassVar[float] = 0.0
    inherits: ClassVar[Inheritance] = "weights"

    @abstractmethod
    def split(self, space: Space, settings: RuleSettings) -> Split:
        """Returns the subspaces, or the whole space where they are decided late.

        Raises:
            SettingsError: If the settings do not fit the space.
        """

    def rounds(self, settings: RuleSettings) -> int:  # noqa: ARG002 - only splits that are decided late have several
        """Returns the number of successive splits."""
        return 1

    def refusals(self, settings: RuleSettings) -> Iterator[str]:
        """Yields a refusal of a parent that nothing is taken over from."""
        if settings.share_before_split and settings.inheritance == "nothing":
            yield (
                f"inherit = 'nothing' makes a parent of split = {settings.split!r} useless: set parent_share = 0"
                " instead"
            )

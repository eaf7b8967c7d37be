"""Puts labels of sub-supernets with a common parent on one scale.

A sub-supernet that goes on from common weights by itself labels its subspace higher or lower than these would. What
orders architectures inside the subspace is wanted, the difference in level is not. Some architectures of each group are
evaluated by the common weights too, and the group's labels are shifted so that both have the same mean there.

Symbols:
    W: different architectures to evaluate.
    R: replicas, over all folds.
    C: members whose mean is the common scale: the parent, or without one all members of the replica.
"""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.space.space import Codes, Space
from surrogate_nas.supernet.rule import Rule, RuleSettings
from surrogate_nas.supernet.rules.sharing import SHARINGS
from surrogate_nas.supernet.splits.bands import typical_bands
from surrogate_nas.supernet.splits.split import Split
from surrogate_nas.supernet.splits.table import SPLITS

NOBODY = -1  # where no member is asked


@dataclass(frozen=True)
class Ballot:
    """Architectures to evaluate, the members that evaluate them, and the labels that follow.

    Attributes:
        codes: The architectures, different and effective, shape (W, D).
        members: The member that answers for each in every replica, then the members of the common scale where they are
            asked, else ``NOBODY``; shape (W, R, 1 + C).
        groups: The group that each is shifted with, shape (W,).
        both: Whether a label is the mean of the own member's and the common scale's.
    """

    codes: Codes
    members: NDArray[np.int64]
    groups: NDArray[np.int64]
    both: bool = False

    def rows(self, space: Space, codes: Codes) -> NDArray[np.int64]:
        """Returns the place of each of the codes that the ballot was made for, shape (N,)."""
        place = {digits: row for row, digits in enumerate(space.digits(self.codes))}
        return np.array([place[digits] for digits in space.digits(space.effective(codes))], dtype=np.int64)

    def labels(self, values: NDArray[np.float64], weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Returns the label of every architecture, shape (W,).

        Args:
            values: Accuracy or loss by each member that is asked, shape (W, R, 1 + C); others are not read.
            weights: What each replica counts, shape (R,); all the same if not given.
        """
        own = values[:, :, 0].astype(np.float64)
        if values.shape[2] > 1:
            asked = self.members[:, :, 1:] != NOBODY
            known = asked.any(axis=2)
            sums = np.where(asked, values[:, :, 1:], 0.0).sum(axis=2)
            common = np.where(known, sums / np.maximum(asked.sum(axis=2), 1), own)
            for replica in range(own.shape[1]):
                for group in np.unique(self.groups):
                    mine = self.groups == group
                    shared = mine & known[:, replica]
                    if shared.any():
                        own[mine, replica] += (common - values[:, :, 0])[shared, replica].mean()
            if self.both:
                own = np.where(known, (own + common) / 2, own)
        return np.asarray(np.average(own, axis=1, weights=weights))


def at_least(count: int, asked: NDArray[np.bool_], groups: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Returns which architectures to ask about, so many of every group, or all that the group has; shape (W,).

    Draws may miss a group that few architectures belong to, and a group without any would not be shifted.

    Args:
        count: How many.
        asked: Architectures that are asked about already, shape (W,).
        groups: Their groups, shape (W,); ``NOBODY`` for the ones that need no shift.
    """
    more = asked.copy()
    for group in np.setdiff1d(groups, NOBODY):
        free = np.flatnonzero((groups == group) & ~asked)
        more[free[: max(0, count - int((asked & (groups == group)).sum()))]] = True
    return more


class ScaleRule(Rule):
    """Rule that shifts labels of sub-supernets onto one scale.

    Attributes:
        shifts: Whether there are shifts.
    """

    shifts: ClassVar[bool] = True

    @abstractmethod
    def groups(self, space: Space, split: Split, codes: Codes) -> NDArray[np.int64]:
        """Returns the group that each code, shape (N, D), is shifted with, shape (N,)."""

    def refusals(self, settings: RuleSettings) -> Iterator[str]:
        """Yields a refusal of shifts between sub-supernets where there is one."""
        if self.shifts and not (SPLITS[settings.split].splits and SHARINGS[settings.sharing].owns_weights):
            yield (
                f"scale = {settings.scale!r} shifts labels of sub-supernets: it needs sharing = 'whole' and a split"
                f" (got sharing = {settings.sharing!r}, split = {settings.split!r})"
            )


@final
class NoScale(ScaleRule):
    """Labels stay as the sub-supernets give them."""

    shifts: ClassVar[bool] = False

    def groups(self, space: Space, split: Split, codes: Codes) -> NDArray[np.int64]:  # noqa: ARG002 - all alike
        """Returns one group for all."""
        return np.zeros(len(codes), dtype=np.int64)


@final
class ShiftBySubspace(ScaleRule):
    """One shift for every subspace."""

    def groups(self, space: Space, split: Split, codes: Codes) -> NDArray[np.int64]:  # noqa: ARG002 - the split knows
        """Returns the subspaces."""
        return split.assign(codes)


@final
class ShiftByCount(ScaleRule):
    """One shift for every subspace and band of nonlinear counts in it, at most four bands of the whole space."""

    def groups(self, space: Space, split: Split, codes: Codes) -> NDArray[np.int64]:
        """Returns a number for every pair of subspace and band."""
        bands = typical_bands(space)
        ends = np.array([band[-1] for band in bands])
        band = np.searchsorted(ends, space.nonlinear_count(codes))
        return np.asarray(split.assign(codes) * len(bands) + band, dtype=np.int64)


SCALES: dict[str, ScaleRule] = {"none": NoScale(), "subspace": ShiftBySubspace(), "count": ShiftByCount()}

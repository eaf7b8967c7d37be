"""Counts the networks of a chain of each nonlinear count, and draws exactly uniformly among them, without a list.

Layers that may be left out from the end of their stage are taken together: where d of them stand, each of the d has any
choice but the last one, the identity, and the others are identities. So every network is counted and drawn once.

Symbols:
    N: draws. D: layers that are chosen.
"""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.counting import combined_populations, draw_summands, shares
from surrogate_nas.space.space import Codes


@dataclass(frozen=True, eq=False)
class LayerGroup:
    """Layers whose choices depend on each other, or one layer alone.

    Attributes:
        columns: The layers, neighbours.
        nonlinear: Nonlinear functions of each of their choices.
        elastic: Whether they may be left out from the end on; their last choice is then the identity.
    """

    columns: tuple[int, ...]
    nonlinear: NDArray[np.int64]
    elastic: bool

    @cached_property
    def _single(self) -> dict[int, int]:
        """Choices of a layer that stands, for each nonlinear count."""
        standing = self.nonlinear[:-1] if self.elastic else self.nonlinear
        return dict(sorted(Counter(standing.tolist()).items()))

    @cached_property
    def _by_depth(self) -> dict[int, dict[int, int]]:
        """Networks of each number of layers, for each nonlinear count."""
        most = len(self.columns)
        depths = range(most + 1) if self.elastic else [most]
        return {depth: combined_populations([self._single] * depth) for depth in depths}

    @cached_property
    def populations(self) -> dict[int, int]:
        """Number of networks for each nonlinear count, by rising count."""
        total: Counter[int] = Counter()
        for ways in self._by_depth.values():
            total.update(ways)
        return dict(sorted(total.items()))

    def draw(self, count: int, size: int, rng: np.random.Generator) -> Codes:
        """Returns uniform draws among the networks of one nonlinear count, shape (size, columns)."""
        if len(self.columns) == 1:
            return rng.choice(np.flatnonzero(self.nonlinear == count), size=size).astype(np.int8)[:, None]
        codes = np.full((size, len(self.columns)), len(self.nonlinear) - 1, dtype=np.int8)
        ways = [networks.get(count, 0) for networks in self._by_depth.values()]
        drawn = rng.choice(list(self._by_depth), size=size, p=shares(ways))
        for depth in np.unique(drawn):
            rows = np.flatnonzero(drawn == depth)
            summands = draw_summands([self._single] * int(depth), count, len(rows), rng)
            for column in range(depth):
                for value in np.unique(summands[:, column]):
                    chosen = np.flatnonzero(self.nonlinear[: len(self.nonlinear) - self.elastic] == value)
                    at = rows[summands[:, column] == value]
                    codes[at, column] = rng.choice(chosen, size=len(at))
        return codes


@final
@dataclass(frozen=True)
class ChainCounts:
    """Counts of the networks of a chain.

    Attributes:
        space: Name of the space, for messages.
        groups: The layers.
    """

    space: str
    groups: tuple[LayerGroup, ...]

    def populations(self) -> dict[int, int]:
        """Returns the number of networks for each count of nonlinear functions, exact, by rising count."""
        return combined_populations([group.populations for group in self.groups])

    def draw(self, count: int, size: int, rng: np.random.Generator) -> Codes:
        """Returns uniform draws among the networks of one count of nonlinear functions, shape (size, D).

        Raises:
            SpaceError: If no network has this count.
        """
        if count not in self.populations():
            raise SpaceError(f"no architecture of {self.space} has {count} nonlinear functions")
        summands = draw_summands([group.populations for group in self.groups], count, size, rng)
        codes = np.zeros((size, sum(len(group.columns) for group in self.groups)), dtype=np.int8)
        for position, group in enumerate(self.groups):
            for value in np.unique(summands[:, position]):
                rows = np.flatnonzero(summands[:, position] == value)
                codes[rows[:, None], group.columns] = group.draw(int(value), len(rows), rng)
        return codes


def draw_any(group: LayerGroup, size: int, rng: np.random.Generator) -> Codes:
    """Returns uniform draws among all networks of a group, shape (size, columns)."""
    counts = list(group.populations)
    drawn = rng.choice(len(counts), size=size, p=shares(list(group.populations.values())))
    codes = np.zeros((size, len(group.columns)), dtype=np.int8)
    for position in np.unique(drawn):
        rows = np.flatnonzero(drawn == position)
        codes[rows] = group.draw(counts[position], len(rows), rng)
    return codes

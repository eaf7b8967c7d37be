"""Counts the architectures of each nonlinear count, and draws exactly uniformly among them.

Where architectures are put together from independent parts, such as cells, each part has a number of ways for each
count, and the counts of the parts add up. Numbers of ways are whole numbers of any size.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, final

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.errors import SpaceError


class Counts(Protocol):
    """Exact nonlinear counts of the connected architectures among those that ``Space.sample`` draws."""

    def populations(self) -> dict[int, int]:
        """Returns the number of architectures for each count that occurs, exact, by rising count."""

    def draw(self, count: int, size: int, rng: np.random.Generator) -> NDArray[np.int8]:
        """Returns uniform draws among the architectures of one count, shape (size, D).

        Raises:
            SpaceError: If no architecture has this count.
        """


@final
@dataclass(frozen=True, eq=False)
class ListedCounts:
    """Counts by a list.

    Attributes:
        space: Name of the space, for messages.
        codes: The architectures, shape (N, D).
        nonlinear: Their nonlinear functions, shape (N,).
    """

    space: str
    codes: NDArray[np.int8]
    nonlinear: NDArray[np.int64]

    def populations(self) -> dict[int, int]:
        """Returns the number of architectures for each count that occurs, by rising count."""
        counts, ways = np.unique(self.nonlinear, return_counts=True)
        return dict(zip(counts.tolist(), ways.tolist(), strict=True))

    def draw(self, count: int, size: int, rng: np.random.Generator) -> NDArray[np.int8]:
        """Returns uniform draws among the architectures of one count, shape (size, D)."""
        members = np.flatnonzero(self.nonlinear == count)
        if not len(members):
            raise SpaceError(f"no architecture of {self.space} has {count} nonlinear functions")
        return np.asarray(self.codes[members[rng.integers(len(members), size=size)]])


def combined_populations(populations: Sequence[dict[int, int]]) -> dict[int, int]:
    """Returns the number of ways to take one choice of every part for each sum of their counts, by rising sum."""
    total = {0: 1}
    for single in populations:
        found: Counter[int] = Counter()
        for before, ways in total.items():
            for count, more in single.items():
                found[before + count] += ways * more
        total = dict(sorted(found.items()))
    return total


def draw_summands(
    populations: Sequence[dict[int, int]], total: int, size: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Returns the counts of the parts of wholes drawn uniformly among all of one sum, shape (size, parts)."""
    left = np.full(size, total, dtype=np.int64)
    drawn = np.zeros((size, len(populations)), dtype=np.int64)
    for position, single in enumerate(populations):
        rest = combined_populations(populations[position + 1 :])
        counts = np.array(list(single))
        for value in np.unique(left):
            ways = [ways * rest.get(int(value) - count, 0) for count, ways in single.items()]
            rows = np.flatnonzero(left == value)
            drawn[rows, position] = counts[rng.choice(len(counts), size=len(rows), p=shares(ways))]
        left -= drawn[:, position]
    return drawn


def shares(ways: Sequence[int]) -> NDArray[np.float64]:
    """Returns whole numbers of any size as shares of their sum."""
    total = sum(ways)
    parts = np.array([each / total for each in ways])
    return np.asarray(parts / parts.sum())

"""Counts of what is put together from independent parts, and exactly uniform draws by their sum.

A part has a number of ways for each count, such as the nonlinear functions of one cell. Numbers of ways are whole
numbers of any size.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


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

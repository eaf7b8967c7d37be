"""Defines ranks within a reference set as a function: for every value, rising, equal for equal values.

Symbols:
    R: architectures of the reference set.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from surrogate_nas.errors import TrainingError
from surrogate_nas.predictor.protocol import Codes, Floats
from surrogate_nas.space.space import Space

REFERENCE_SIZE = 20_000


@dataclass(frozen=True)
class RankTransform:
    """Maps values to their standardised rank among reference values.

    Attributes:
        values: Distinct reference values, rising, shape (K,).
        ranks: Their ranks, with mean 0 and standard deviation 1 over the reference set, shape (K,).
    """

    values: Floats
    ranks: Floats

    def __post_init__(self) -> None:
        if self.values.ndim != 1 or self.values.shape != self.ranks.shape or not len(self.values):
            raise ValueError(f"values and ranks of shapes {self.values.shape} and {self.ranks.shape} are no transform")

    def __call__(self, values: Floats) -> Floats:
        """Returns ranks of any values, shape (N,): linear between reference values and beyond them.

        Beyond them the slope is of the outermost hundredth of the reference values, or of their range where that is
        more: two values that differ by rounding alone have no slope. A search of a large space ends among
        architectures that are better than every reference one, and equal ranks would not order these.
        """
        ranks = np.interp(values, self.values, self.ranks)
        last = len(self.values) - 1
        if last > 0:
            step, gap = max(1, last // 100), (self.values[-1] - self.values[0]) / 100
            low = max(step, int(np.searchsorted(self.values, self.values[0] + gap)))
            high = min(last - step, int(np.searchsorted(self.values, self.values[-1] - gap, side="right")) - 1)
            ranks += self._slope(0, low) * np.minimum(values - self.values[0], 0)
            ranks += self._slope(high, last) * np.maximum(values - self.values[-1], 0)
        return np.asarray(ranks, dtype=np.float64)

    def _slope(self, low: int, high: int) -> float:
        return float((self.ranks[high] - self.ranks[low]) / (self.values[high] - self.values[low]))


def rank_transform(reference: Floats, what: str) -> RankTransform:
    """Returns the transform by a reference set.

    Args:
        reference: Shape (R,), finite.
        what: Name of the values in the message.

    Raises:
        TrainingError: If all reference values are equal or one is not finite.
    """
    if not np.isfinite(reference).all() or len(reference) == 0 or np.ptp(reference) == 0:
        raise TrainingError(f"{what} must be finite and differ between architectures to rank them")
    ranks = rankdata(reference)
    ranks = (ranks - ranks.mean()) / ranks.std()
    values, first = np.unique(reference, return_index=True)
    return RankTransform(values, ranks[first])


def reference_codes(space: Space, seed: int) -> Codes:
    """Returns the whole space where it is small enough to enumerate, a uniform sample otherwise, shape (R, D)."""
    if space.listable and space.size <= REFERENCE_SIZE:
        return space.all_codes()
    return space.sample(REFERENCE_SIZE, np.random.default_rng(seed))

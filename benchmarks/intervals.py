"""A figure that was measured with several seeds: its mean, and an interval for it."""

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import t as student


def mean_and_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float, float]:
    """Returns the mean, and the ends of Student's interval for it.

    Args:
        values: One per seed; NaN are left out.
        level: Coverage of the interval.

    Returns:
        Mean, low, high; the ends are NaN where fewer than two values are left, and so is the mean where none is.
    """
    finite = np.asarray([value for value in values if math.isfinite(value)], dtype=np.float64)
    if len(finite) == 0:
        return math.nan, math.nan, math.nan
    mean = float(finite.mean())
    if len(finite) == 1:
        return mean, math.nan, math.nan
    half = float(student.ppf((1 + level) / 2, len(finite) - 1) * finite.std(ddof=1) / math.sqrt(len(finite)))
    return mean, mean - half, mean + half

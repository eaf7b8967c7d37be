"""Bounds how far a latency may lie above its prediction, from errors on networks left out of the fit.

The bound is a tolerance bound: over the draw of the measured networks, it covers the given share of the other networks
in half of the draws. With enough errors it is one of the errors, for any distribution; with few it is the bound of a
normal distribution, and at least the largest error.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, nct, norm

from surrogate_nas.errors import SettingsError

ASSURANCE = 0.5
"""Share of draws in which the bound covers at least its nominal share of networks."""


def upper_error(errors: NDArray[np.float64], confidence: float) -> float:
    """Returns the relative error that networks exceed with a probability of at most ``1 - confidence``, at least 0.

    Args:
        errors: Measured / predicted - 1 of networks left out of the fit, shape (M,); M at least 2.
        confidence: In (0, 1).

    Raises:
        SettingsError: If the confidence is out of range or there are fewer than two errors.
    """
    check_confidence(confidence)
    count = len(errors)
    if count < 2:
        raise SettingsError(f"a bound on latencies needs at least 2 measured networks (got {count})")
    # Smallest rank k such that at least k errors lie below the true quantile with the assurance.
    rank = int(binom.ppf(ASSURANCE, count, confidence)) + 1
    if rank <= count:
        return max(0.0, float(np.sort(errors)[rank - 1]))
    factor = nct.ppf(ASSURANCE, count - 1, np.sqrt(count) * norm.ppf(confidence)) / np.sqrt(count)
    # Not below the largest error, so that more confidence is never less cautious where one rule gives way to the other.
    return max(0.0, float(errors.max()), float(errors.mean() + factor * errors.std(ddof=1)))


def cautious(values: NDArray[np.float64], errors: NDArray[np.float64], confidence: float) -> NDArray[np.float64]:
    """Returns upper bounds of predicted costs, shape (N,); the values themselves where nothing was predicted."""
    return values * (1 + upper_error(errors, confidence)) if len(errors) else values


def check_confidence(confidence: float) -> None:
    """Refuses a number that is not a confidence.

    Raises:
        SettingsError: If it is not in [0.5, 1).
    """
    if not 0.5 <= confidence < 1:
        raise SettingsError(f"a confidence must be at least 0.5 and below 1, such as 0.95 (got {confidence:g})")

"""Bounds how far a latency may lie above its prediction, from errors on networks left out of the fit.

The bound is a prediction bound: over the draw of the measured networks and of one more, the latter keeps it with the
given probability. So it covers that share of the other networks on average; in a single study the share may be smaller.
With enough errors the bound is one of the errors, for any distribution (Vovk, Gammerman, Shafer, "Algorithmic learning
in a random world", 2005). With few it is the bound of a normal distribution, and at least the largest error.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from surrogate_nas.errors import SettingsError


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
    # Among all ranks of one more error, each is as likely; rounded as 0.95 of 20 is 19 and not a little more.
    rank = math.ceil(round(confidence * (count + 1), 9))
    if rank <= count:
        return max(0.0, float(np.sort(errors)[rank - 1]))
    factor = t.ppf(confidence, count - 1) * np.sqrt(1 + 1 / count)
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

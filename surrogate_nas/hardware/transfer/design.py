"""Chooses the architectures to measure, so that a few measurements predict all others as well as possible.

Greedy D-optimal design of a Bayesian linear model: the next architecture is always the one whose latency is the most
uncertain after the measurements so far. It needs no measured values, so the whole set can be sent to a device at once.

Symbols:
    N: architectures to choose from.
    F: features.
    P: posterior covariance of the coefficients, (F, F).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.hardware.regression.features import View

_FINER = 0.1
"""Prior variance of each view relative to the coarser one before it."""


def choose_informative(features: NDArray[np.float64], count: int, *, noise: float = 1.0) -> NDArray[np.int64]:
    """Returns the rows whose measurement leaves least uncertainty about a linear function of the features.

    Args:
        features: Shape (N, F); coefficients have unit prior variance, so larger features are learnt first.
        count: Number of rows to choose.
        noise: Variance of one measurement.

    Returns:
        ``count`` rows in the order in which they were chosen.

    Raises:
        ValueError: If there are fewer rows than ``count``.
    """
    if not 0 < count <= len(features):
        raise ValueError(f"count must be between 1 and {len(features)} (got {count})")
    covariance = np.eye(features.shape[1])
    taken = np.zeros(len(features), dtype=bool)
    chosen: list[int] = []
    for _ in range(count):
        spread = features @ covariance
        row = int(np.argmax(np.where(taken, -np.inf, np.einsum("nf,nf->n", spread, features))))
        chosen.append(row)
        taken[row] = True
        along = spread[row]
        covariance -= np.outer(along, along) / (noise + along @ features[row])
    return np.array(chosen, dtype=np.int64)


def design_features(views: Sequence[View]) -> NDArray[np.float64]:
    """Returns the features of all views next to each other, finer ones with less weight, shape (N, F)."""
    return np.hstack([_FINER ** (0.5 * depth) * view.features for depth, view in enumerate(views)])

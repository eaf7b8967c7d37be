"""Predicts the latency of a network from the summed latencies of its pieces.

Pieces timed alone run with warm caches and without their neighbours, so their sum is off by a factor that differs
between kinds of pieces. A few networks measured as a whole give the factors.

Symbols:
    M: networks measured as a whole.
    G: groups of pieces, the first of which are the fixed layers.
    X: summed latency of each group in each network, (M, G), ms.
    y: measured latency, (M,), ms.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

Kind = Literal["scale and offset", "factor per group"]
KINDS: tuple[Kind, ...] = ("scale and offset", "factor per group")


@dataclass(frozen=True)
class Correction:
    """Linear correction of a profile, with coefficients that are never negative.

    Attributes:
        kind: One scale and an offset for the total, or a factor for each group.
        coefficients: Offset (ms) and scale, shape (2,), or factors, shape (G,).
        errors: Relative error of each measured network when it is left out of the fit, shape (M,):
            predicted / measured - 1.
    """

    kind: Kind
    coefficients: NDArray[np.float64]
    errors: NDArray[np.float64]

    @property
    def relative_error(self) -> float:
        """Median of the absolute relative errors."""
        return float(np.median(np.abs(self.errors)))

    @property
    def mean_log_factor(self) -> float:
        """Mean absolute logarithm of predicted / measured; a prediction of nothing counts as a factor of 20."""
        return float(np.mean(np.abs(np.log(np.maximum(1 + self.errors, 0.05)))))

    def predict(self, groups: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns latencies, shape (N,), in ms, of networks whose groups take ``groups``, shape (N, G), alone."""
        return weighted_sum(_design(self.kind, groups), self.coefficients)


def weighted_sum(columns: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns ``columns @ weights`` for (N, K) and (K,), column by column, shape (N,).

    The last bits of a BLAS product depend on the memory addresses of its operands; two processes must agree on costs.
    """
    total = np.zeros(len(columns))
    for column, weight in zip(columns.T, weights, strict=True):
        total += column * weight
    return total


def fit_correction(groups: NDArray[np.float64], measured: NDArray[np.float64]) -> Correction:
    """Returns the kind of correction that is more accurate on networks left out of its fit.

    By the mean factor between prediction and measurement rather than the median error: a kind that predicts next to
    nothing for one of the networks would make every bound absurd.

    Args:
        groups: X, shape (M, G); M at least 2.
        measured: y, shape (M,), above zero.

    Raises:
        ValueError: If there are fewer than two networks.
    """
    if len(measured) < 2:
        raise ValueError(f"a correction needs at least 2 measured networks (got {len(measured)})")
    fits = [_fit(kind, groups, measured) for kind in KINDS]
    return min(fits, key=lambda fit: fit.mean_log_factor)


def _fit(kind: Kind, groups: NDArray[np.float64], measured: NDArray[np.float64]) -> Correction:
    design = _design(kind, groups)
    errors = np.empty(len(measured))
    for left_out in range(len(measured)):
        others = np.arange(len(measured)) != left_out
        predicted = design[left_out] @ _solve(design[others], measured[others])
        errors[left_out] = predicted / measured[left_out] - 1.0
    return Correction(kind, _solve(design, measured), errors)


def _design(kind: Kind, groups: NDArray[np.float64]) -> NDArray[np.float64]:
    if kind == "factor per group":
        return groups
    return np.column_stack([np.ones(len(groups)), groups.sum(axis=1)])


def _solve(design: NDArray[np.float64], measured: NDArray[np.float64]) -> NDArray[np.float64]:
    # Divided by the measured latency, so that squares of relative errors are summed.
    coefficients, _ = nnls(design / measured[:, None], np.ones(len(measured)))
    return np.asarray(coefficients, dtype=np.float64)

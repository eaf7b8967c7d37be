"""Predicts the latency of every architecture on a device from measurements of some.

A sum over groups of features with a prior variance each (ridge regression in its kernel form). Squares are of relative
errors, as budgets are relative. Devices are often disturbed: some measurements of one network are a fifth slower than
most. So a second loss (Welsch's, by iterated reweighting) follows the majority of measurements rather than their mean.
Groups, noise and loss are chosen by cross-validation on the measured architectures alone.

Symbols:
    N: architectures.
    M: measured ones.
    K: kernel, (N, M); of the measured ones (M, M).
    y: measured latency divided by its median, (M,).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.errors import MeasurementError
from surrogate_nas.hardware.confidence import upper_error
from surrogate_nas.hardware.transfer.features import View
from surrogate_nas.ranking import kendall_tau

Loss = Literal["squares", "most"]
Floats = NDArray[np.float64]

FEWEST = 10
"""Fewest measured architectures; each fold of the cross-validation leaves a tenth out."""

_PRIORS: tuple[tuple[float, float, float], ...] = (
    (1.0, 0.0, 0.0),
    (1.0, 1e-2, 0.0),
    (1.0, 1e-4, 1e-4),
    (1.0, 0.1, 1e-3),
    (1.0, 0.5, 0.3),
    (0.1, 1.0, 0.1),
)
"""Prior variance of each view, coarse to fine."""

_LOSSES: tuple[tuple[Loss, float], ...] = (("squares", np.inf), ("most", 1.5), ("most", 1.0))
_NOISES = (1e-6, 1e-3, 3e-2)
_FOLDS = 10
_ITERATIONS = 30
_ROBUST_START = 10  # iterations of least absolute errors, which start the other loss
_OFFSET_VARIANCE = 100.0
_FLOOR = 0.05  # of the median latency: below it errors are absolute, or a network that does nothing would be all
_ORDER_WEIGHT = 0.2  # weight of a lost unit of Kendall's tau against the median relative error


@dataclass(frozen=True)
class SparseLatency:
    """Predicted latencies of all architectures, and the choices behind them.

    Attributes:
        predicted_ms: Shape (N,).
        errors: Measured / predicted - 1 of each measured architecture when it is left out of the fit, shape (M,).
        views: Names of the groups of features that were used.
        loss: Name of the loss that was minimised.
    """

    predicted_ms: Floats
    errors: Floats
    views: tuple[str, ...]
    loss: Loss

    @property
    def relative_error(self) -> float:
        """Median of the absolute relative errors of architectures left out."""
        return float(np.median(np.abs(1 - 1 / (1 + self.errors))))

    def upper_ms(self, confidence: float) -> Floats:
        """Returns the latency that an architecture keeps with the given confidence, shape (N,)."""
        return self.predicted_ms * (1 + upper_error(self.errors, confidence))


def fit_latency(views: Sequence[View], rows: NDArray[np.int64], measured_ms: Floats, *, seed: int) -> SparseLatency:
    """Returns the latencies of all architectures.

    Args:
        views: Three groups of features of all N architectures, coarse to fine.
        rows: Positions of the measured ones, shape (M,).
        measured_ms: Their latencies, shape (M,), above zero.
        seed: Seed of the folds.

    Raises:
        MeasurementError: If there are too few, or they are not finite numbers above zero.
    """
    if len(rows) < FEWEST:
        raise MeasurementError(f"latencies are predicted from at least {FEWEST} measured networks (got {len(rows)})")
    if not (np.isfinite(measured_ms).all() and (measured_ms > 0).all()):
        raise MeasurementError("measured latencies must be finite numbers above zero")
    unit = float(np.median(measured_ms))
    target, step = measured_ms / unit, resolution(measured_ms) / unit
    folds = np.array_split(np.random.default_rng(seed).permutation(len(rows)), _FOLDS)
    kernels = [view.kernel(rows) for view in views]
    best: tuple[float, Floats, Floats, Sequence[float], Loss] | None = None
    for prior in _PRIORS:
        everywhere = np.full_like(kernels[0], _OFFSET_VARIANCE)
        for variance, kernel in zip(prior, kernels, strict=True):
            everywhere += variance * kernel
        inside = everywhere[rows]
        for noise, (loss, width) in product(_NOISES, _LOSSES):
            held_out = np.empty(len(rows))
            for fold in folds:
                others = np.setdiff1d(np.arange(len(rows)), fold)
                solution = _solve(inside[np.ix_(others, others)], target[others], width, noise)
                held_out[fold] = inside[np.ix_(fold, others)] @ solution
            held_out = _rounded(held_out, target, step)
            value = float(np.median(np.abs(held_out / target - 1)))
            value += _ORDER_WEIGHT * (1 - np.nan_to_num(kendall_tau(held_out, target)))
            if best is None or value < best[0]:
                best = (value, everywhere @ _solve(inside, target, width, noise), held_out, prior, loss)
    assert best is not None
    _, predicted, held_out, chosen, loss = best
    names = tuple(view.name for view, variance in zip(views, chosen, strict=True) if variance)
    return SparseLatency(_rounded(predicted, target, step) * unit, target / held_out - 1, names, loss)


def resolution(values: Floats) -> float:
    """Returns the step in which values are written: 1 for whole milliseconds, 0 where there is none down to 0.0001."""
    for step in (1.0, 0.5, 0.1, 0.01, 0.001, 0.0001):
        if np.allclose(values / step, np.round(values / step), rtol=0, atol=1e-6):
            return step
    return 0.0


def _rounded(predicted: Floats, target: Floats, step: float) -> Floats:
    """Returns predictions as fine as measurements are, and not below the smallest of them."""
    kept = np.maximum(predicted, target.min())
    return np.asarray(np.maximum(np.round(kept / step) * step, step) if step else kept)


def _solve(kernel: Floats, target: Floats, width: float, noise: float) -> Floats:
    """Returns dual coefficients, shape (M,); ``width`` is the loss's width in robust standard deviations."""
    weights = 1 / np.maximum(target, _FLOOR)
    solution = _weighted(kernel, target, weights, noise)
    for iteration in range(_ITERATIONS):
        predicted = kernel @ solution
        relative = 1 / np.maximum(predicted, _FLOOR)
        size = np.abs(target - predicted) * relative
        if np.isinf(width):
            importance = np.ones(len(target))
        elif iteration < _ROBUST_START:
            importance = 1 / np.sqrt(np.maximum(size, 1e-3))
        else:
            scale = width * max(1.4826 * float(np.median(size)), 1e-3)
            importance = np.exp(-0.25 * (size / scale) ** 2)
        before = solution
        solution = _weighted(kernel, target, relative * importance, noise)
        if (np.isinf(width) or iteration > _ROBUST_START) and np.allclose(solution, before, rtol=1e-4, atol=1e-9):
            break
    return solution


def _weighted(kernel: Floats, target: Floats, weights: Floats, noise: float) -> Floats:
    squared = weights**2 / np.mean(weights**2)
    return np.asarray(np.linalg.solve(kernel + np.diag(noise / np.maximum(squared, 1e-8)), target), dtype=np.float64)

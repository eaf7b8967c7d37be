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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.errors import MeasurementError
from surrogate_nas.hardware.confidence import upper_error
from surrogate_nas.hardware.regression.features import View
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
_CHOSEN_ON = 150  # architectures that the choices are made on; hundreds would take minutes
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


@dataclass(frozen=True)
class LatencyFit:
    """A regression of latencies on groups of features.

    Attributes:
        weights: Weights of the features of each group, shape (F,) each, in units of the median latency.
        offset: What all have in common, in the same unit.
        unit: The median of the measured latencies, in ms.
        lowest: Smallest prediction, in units.
        step: Step in which latencies were written, in units; 0 where there is none.
        errors, views, loss: As of ``SparseLatency``.
    """

    weights: tuple[Floats, ...]
    offset: float
    unit: float
    lowest: float
    step: float
    errors: Floats
    views: tuple[str, ...]
    loss: Loss

    def predict(self, views: Sequence[View]) -> Floats:
        """Returns latencies in ms, shape (N,), of architectures with these features."""
        return _rounded(self.sums(views) / self.unit, self.lowest, self.step) * self.unit

    def sums(self, views: Sequence[View]) -> Floats:
        """Returns the same without rounding and without a smallest one, so as a sum over the features."""
        total = np.full(len(views[0].features), self.offset)
        for view, weights in zip(views, self.weights, strict=True):
            total += view.features @ weights
        return total * self.unit


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
    fit = fit_views([View(view.name, view.features[rows]) for view in views], measured_ms, seed=seed)
    return SparseLatency(fit.predict(views), fit.errors, fit.views, fit.loss)


def fit_views(
    views: Sequence[View], measured_ms: Floats, *, seed: int, least: float = 1.0, rounds: bool = True
) -> LatencyFit:
    """Returns the regression that is best on architectures left out of it.

    Args:
        views: Three groups of features of the M measured architectures, coarse to fine.
        measured_ms: Their latencies, shape (M,), above zero.
        seed: Seed of the folds.
        least: Smallest prediction, as a share of the smallest measurement.
        rounds: Whether predictions are as coarse as measurements.

    Raises:
        MeasurementError: If there are too few, or they are not finite numbers above zero.
    """
    count = len(measured_ms)
    if count < FEWEST:
        raise MeasurementError(f"latencies are predicted from at least {FEWEST} measured networks (got {count})")
    if not (np.isfinite(measured_ms).all() and (measured_ms > 0).all()):
        raise MeasurementError("measured latencies must be finite numbers above zero")
    unit = float(np.median(measured_ms))
    target, step = measured_ms / unit, resolution(measured_ms) / unit if rounds else 0.0
    lowest = least * float(target.min())
    order = np.random.default_rng(seed).permutation(count)
    kernels = [view.kernel(np.arange(count)) for view in views]
    some = order[:_CHOSEN_ON]
    choice = _choose([kernel[np.ix_(some, some)] for kernel in kernels], target[some], lowest, step)
    kernel = _joint(kernels, choice.prior)
    held_out = np.empty(count)
    for fold, predicted in _left_out(kernel, target, order, choice):
        held_out[fold] = predicted
    solution = _solve(kernel, target, choice.width, choice.noise)
    weights = tuple(
        variance / max(view.features.shape[1], 1) * (view.features.T @ solution)
        for variance, view in zip(choice.prior, views, strict=True)
    )
    names = tuple(view.name for view, variance in zip(views, choice.prior, strict=True) if variance)
    offset = _OFFSET_VARIANCE * float(solution.sum())
    errors = target / _rounded(held_out, lowest, step) - 1
    return LatencyFit(weights, offset, unit, lowest, step, errors, names, choice.loss)


class _Choice(NamedTuple):
    """Prior variances of the groups, noise, and the loss with its width."""

    prior: tuple[float, ...]
    noise: float
    loss: Loss
    width: float


def _choose(kernels: Sequence[Floats], target: Floats, lowest: float, step: float) -> _Choice:
    """Returns what predicts architectures best that are left out of the fit."""
    found: list[tuple[float, _Choice]] = []
    for prior in _PRIORS:
        kernel = _joint(kernels, prior)
        for noise, (loss, width) in product(_NOISES, _LOSSES):
            choice, held_out = _Choice(prior, noise, loss, width), np.empty(len(target))
            for fold, predicted in _left_out(kernel, target, np.arange(len(target)), choice):
                held_out[fold] = predicted
            held_out = _rounded(held_out, lowest, step)
            value = float(np.median(np.abs(held_out / target - 1)))
            value += _ORDER_WEIGHT * (1 - np.nan_to_num(kendall_tau(held_out, target)))
            found.append((value, choice))
    return min(found, key=lambda one: one[0])[1]


def _joint(kernels: Sequence[Floats], prior: Sequence[float]) -> Floats:
    joint = np.full_like(kernels[0], _OFFSET_VARIANCE)
    for variance, kernel in zip(prior, kernels, strict=True):
        joint += variance * kernel
    return joint


def _left_out(
    kernel: Floats, target: Floats, order: NDArray[np.integer], choice: _Choice
) -> Iterator[tuple[NDArray[np.integer], Floats]]:
    """Yields each fold of the order with its predictions by all others."""
    for fold in np.array_split(order, _FOLDS):
        others = np.setdiff1d(order, fold)
        solution = _solve(kernel[np.ix_(others, others)], target[others], choice.width, choice.noise)
        yield fold, kernel[np.ix_(fold, others)] @ solution


def resolution(values: Floats) -> float:
    """Returns the step in which values are written: 1 for whole milliseconds, 0 where there is none down to 0.0001."""
    for step in (1.0, 0.5, 0.1, 0.01, 0.001, 0.0001):
        if np.allclose(values / step, np.round(values / step), rtol=0, atol=1e-6):
            return step
    return 0.0


def _rounded(predicted: Floats, lowest: float, step: float) -> Floats:
    """Returns predictions as fine as measurements are, and not below the smallest one."""
    kept = np.maximum(predicted, lowest)
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

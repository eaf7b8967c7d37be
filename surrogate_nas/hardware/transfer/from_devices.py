"""Predicts the latency of a whole space on a new device, from about ten measurements and the tables of other devices.

A Bayesian linear model: a latency is the sum of an offset, the mean of the known devices, the deviations of each of
them, and operations. The ten measurements are taken where the known devices' tables leave most uncertainty. HELP
(arXiv 2106.08630) sets the task; there a meta-learnt network solves it.

Symbols:
    N: architectures.
    S: known devices.
    M: measurements on the new device.
    F: features.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.errors import MeasurementError
from surrogate_nas.hardware.regression.features import View
from surrogate_nas.hardware.transfer.design import choose_informative

Floats = NDArray[np.float64]

_FLOOR = 0.3  # of the median latency: below it errors are absolute


@dataclass(frozen=True)
class TransferPrior:
    """Prior standard deviations of each part of a latency on a new device.

    The defaults were chosen only on the nine source devices of HELP, each in turn in the place of the new one.

    Attributes:
        offset: Deviation of a constant.
        common: Deviation of the mean of the known devices.
        operations: Deviation of the counts of operations as written.
        reaching: Deviation of the operations that reach the output.
        devices: Deviation of each known device.
        noise: Variance of a measurement, relative to the squared median latency.
        design_noise: The same for the choice of measurements.
    """

    offset: float = 10.0
    common: float = 10.0
    operations: float = 1.0
    reaching: float = 0.1
    devices: float = 0.3
    noise: float = 0.01
    design_noise: float = 0.1


class Transfer:
    """Knowledge before the new device is measured: features, and latencies of known devices.

    Args:
        views: Groups of features of all N architectures, coarse to fine; the first two are used.
        known_ms: Latencies on the S known devices, shape (N, S), above zero.
        prior: Standard deviations of the parts.

    Raises:
        MeasurementError: If no device is known, or a latency is not a finite number above zero.
    """

    def __init__(self, views: Sequence[View], known_ms: Floats, prior: TransferPrior | None = None) -> None:
        if known_ms.ndim != 2 or known_ms.shape[1] < 1:
            raise MeasurementError(
                f"a transfer needs the latencies of at least one known device (got {known_ms.shape})"
            )
        if not (np.isfinite(known_ms).all() and (known_ms > 0).all()):
            raise MeasurementError("latencies of known devices must be finite numbers above zero")
        self._prior = prior or TransferPrior()
        relative = known_ms / np.median(known_ms, axis=0)
        common = relative.mean(axis=1)
        written, reaching = views[0].features, views[1].features
        self.features = np.hstack(
            [
                np.full((len(known_ms), 1), self._prior.offset),
                self._prior.common * (common - common.mean())[:, None],
                self._prior.operations * written / np.sqrt(max(written.shape[1], 1)),
                self._prior.reaching * reaching / np.sqrt(max(reaching.shape[1], 1)),
                self._prior.devices * _standard(relative) / np.sqrt(relative.shape[1]),
            ]
        )

    def choose(self, count: int, candidates: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """Returns the architectures to measure on the new device.

        Args:
            count: Number of architectures, M.
            candidates: Architectures, of the N, that may be measured; all by default.
        """
        positions = np.arange(len(self.features)) if candidates is None else np.flatnonzero(candidates)
        return positions[choose_informative(self.features[positions], count, noise=self._prior.design_noise)]

    def predict(self, rows: NDArray[np.int64], measured_ms: Floats) -> Floats:
        """Returns the latencies of all architectures on the new device, shape (N,), in ms.

        Args:
            rows: Positions of the measured architectures, shape (M,).
            measured_ms: Their latencies, shape (M,).

        Raises:
            MeasurementError: If there is none, or one is not a finite number above zero.
        """
        if not len(rows):
            raise MeasurementError("a transfer needs at least one measurement on the new device")
        if not (np.isfinite(measured_ms).all() and (measured_ms > 0).all()):
            raise MeasurementError("measured latencies must be finite numbers above zero")
        unit = float(np.median(measured_ms))
        target = measured_ms / unit
        weights = 1 / np.maximum(target, _FLOOR) ** 2
        weights /= weights.mean()
        inside = self.features[rows]
        normal = inside.T @ (inside * weights[:, None]) + self._prior.noise * np.eye(inside.shape[1])
        predicted = self.features @ np.linalg.solve(normal, inside.T @ (target * weights))
        # A sum may be below zero where operations were not measured; half the fastest measurement is the lower bound.
        return np.asarray(np.maximum(predicted, 0.5 * target.min()) * unit)

    def errors(self, rows: NDArray[np.int64], measured_ms: Floats) -> Floats:
        """Returns measured / predicted - 1 of each measurement left out in turn, shape (M,); a pessimistic estimate."""
        found = np.empty(len(rows))
        for row in range(len(rows)):
            others = np.delete(np.arange(len(rows)), row)
            found[row] = measured_ms[row] / self.predict(rows[others], measured_ms[others])[rows[row]] - 1
        return found


def _standard(values: Floats) -> Floats:
    spread = values.std(axis=0)
    return np.asarray((values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0))

"""Predicts the latency of every architecture from a profile of pieces and a few networks measured as a whole.

Symbols:
    N: architectures in the batch.
    P: distinct pieces of the networks.
    G: groups of pieces.
    M: networks measured as a whole.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import nn

from surrogate_nas._support.words import choose_from
from surrogate_nas.errors import MeasurementError, SettingsError
from surrogate_nas.hardware.measure.bench import Bench
from surrogate_nas.hardware.measure.correction import fit_correction
from surrogate_nas.hardware.measure.piece_sums import PieceSums
from surrogate_nas.hardware.measure.whole_networks import measure_modules, measure_networks
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.hardware.protocol import Progress
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.pool import draw
from surrogate_nas.space.space import Codes, Space

POOL = 20_000
"""Architectures among which the ones to measure are chosen; a smaller space is its own pool."""

_LARGE_FACTOR = 2.0
"""Whole networks take so many times the sum of their pieces, or a part of it, where pieces say little about them."""

_ENOUGH_ERRORS = 8  # without the two ends


class ProfiledLatency:
    """Latency on a device of this machine, predicted for every architecture and measured for some.

    Measures on construction: every piece of the networks, then ``whole_networks`` networks.

    Args:
        space: Search space of the codes.
        network: The deployed network.
        bench: Device and settings of the measurements.
        whole_networks: Number of networks to measure as a whole.
        seed: Seed of their choice.
        on_progress: Called during measurements.

    Raises:
        MeasurementError: If something cannot be run, or the space has fewer than two different networks.
        SpaceError: If the sizes of the network do not suit the space.
    """

    names: tuple[str, ...] = ("latency_ms",)

    def __init__(
        self,
        space: Space,
        network: NetworkSpec,
        bench: Bench,
        *,
        whole_networks: int,
        seed: int,
        on_progress: Progress | None = None,
    ) -> None:
        self._space = space
        self._network = network
        self._bench = bench
        self._sums = PieceSums(space, network, bench, on_progress)
        codes = self._choose(whole_networks, np.random.default_rng(seed))
        self._whole = self._measure(codes, on_progress)
        measured = np.array([measurement.median_ms for measurement in self._whole])
        calm = np.array([not measurement.noisy for measurement in self._whole])
        # Noisy ones are left out unless they are the majority, which a note in the description then reports.
        used = calm if 2 * calm.sum() >= len(codes) and calm.sum() >= 2 else np.ones(len(codes), dtype=bool)
        self._used = int(used.sum())
        # Leaving out an end of the range needs an extrapolation, which no other architecture needs.
        inner = np.arange(1, len(codes) - 1)[used[1:-1]]
        counting = inner if len(inner) >= _ENOUGH_ERRORS else np.flatnonzero(used)
        self._counting = np.searchsorted(np.flatnonzero(used), counting)
        # Correction of the profile, with the errors of networks left out of the fit.
        summed = self._sums.group_ms(codes[used])
        self.correction = fit_correction(summed, measured[used], self._sums.weights(codes[used]))
        self._factor = float(np.median(measured[used] / summed.sum(axis=1)))
        self.drift = self._drift(codes, on_progress)

    def evaluate(self, codes: ArrayLike) -> dict[str, NDArray[np.float64]]:
        """Returns the predicted latency in ms of one forward pass over the batch, for codes (N, D), shape (N,)."""
        effective = self._space.effective(codes)
        return {"latency_ms": self.correction.predict(self._sums.group_ms(effective), self._sums.weights(effective))}

    def measure_architectures(self, codes: ArrayLike, on_progress: Progress | None = None) -> list[Measurement]:
        """Returns the latency of each whole network; see ``Measurable``."""
        return self._measure(codes, on_progress)

    def measure_modules(self, builders: Mapping[str, Callable[[], nn.Module]]) -> dict[str, Measurement]:
        """Returns the latency of other networks that take the same images; see ``Measurable``."""
        return measure_modules(self._bench, self._network, builders)

    def _measure(self, codes: ArrayLike, on_progress: Progress | None, prefix: str = "network") -> list[Measurement]:
        return measure_networks(self._bench, self._space, self._network, codes, on_progress, prefix)

    def relative_error(self, cost: str) -> float | None:
        """Returns the median relative error on networks left out of the fit, drift included.

        Raises:
            SettingsError: If the cost is not the latency.
        """
        if cost not in self.names:
            raise SettingsError(f"unknown cost {cost!r}; {choose_from(self.names, cost)}")
        return self.correction.relative_error + self.drift

    def held_out_errors(self, cost: str) -> NDArray[np.float64]:
        """Returns measured / predicted - 1 of networks left out of the fit, widened by drift, shape (M,).

        The fastest and the slowest network do not count where there are enough others.

        Raises:
            SettingsError: If the cost is not the latency.
        """
        if cost not in self.names:
            raise SettingsError(f"unknown cost {cost!r}; {choose_from(self.names, cost)}")
        # A regression from few noisy networks may predict zero for one; twenty times too little is as bad.
        return self.correction.held_out[self._counting] + self.drift

    def describe(self) -> dict[str, Any]:
        """Returns device, settings, times of the measurements, and how well predictions agree with them."""
        pieces = list(self._sums.measured.values())
        everything = [*pieces, *self._whole]
        dates = sorted(measurement.measured_at for measurement in everything)
        noisy = [sum(measurement.noisy for measurement in some) for some in (pieces, self._whole)]
        notes = []
        if any(noisy):
            notes.append(
                f"{noisy[0]} of {len(pieces)} operations and {noisy[1]} of {len(self._whole)} whole networks were"
                " still noisy after every attempt; measure again on a machine that does nothing else, with"
                " hardware.remeasure=true (--remeasure of hardware profile)"
            )
        if not self._drift_known:
            notes.append(
                "drift between measurements is unknown and not in the error: every repeated measurement was noisy"
            )
        if not 1 / _LARGE_FACTOR <= self._factor <= _LARGE_FACTOR:
            notes.append(
                f"whole networks take {self._factor:.2g} times as long as the sum of their operations alone, so that"
                " predictions rest on the few that were measured whole, and may not hold for others; measure more of"
                " them (hardware.whole_networks, --networks of hardware profile), on a machine that does nothing else"
            )
        latency = {
            "kind": "measured",
            **self._bench.describe(),
            "reference_ms": self._bench.reference_ms,
            "operations_measured": len(pieces),
            "networks_measured": len(self._whole),
            "networks_used": self._used,
            "drift": self.drift,
            "noisy": sum(noisy),
            "relative_spread": float(np.median([measurement.spread for measurement in everything])),
            "measured_from": dates[0],
            "measured_to": dates[-1],
            "correction": self.correction.kind,
            "factor": self._factor,
            "coefficients": self.correction.named(self._sums.groups),
            "relative_error": self.correction.relative_error + self.drift,
            "notes": notes,
        }
        return {"latency_ms": latency}

    def _drift(self, codes: Codes, on_progress: Progress | None) -> float:
        """Returns the relative change of latency when a few networks are measured again after all others.

        Networks are timed in turns, so a machine that slows down in the meantime slows all of them down equally, which
        leaving one out cannot show. The largest relative change of three (the fastest, the slowest, one between) is
        added to errors. Noisy ones do not count: they show other work on the machine at that moment, not drift.
        """
        anchors = codes[[0, len(codes) // 2, len(codes) - 1]]
        pairs = zip(
            self._measure(anchors, on_progress), self._measure(anchors, on_progress, prefix="anchor"), strict=True
        )
        changes = [
            abs(again.median_ms / first.median_ms - 1) for first, again in pairs if not (first.noisy or again.noisy)
        ]
        self._drift_known = bool(changes)
        return max(changes, default=0.0)

    def _choose(self, count: int, rng: np.random.Generator) -> Codes:
        """Returns distinct networks to measure: the fastest, the slowest, and one per stratum between.

        Strata are over the uncorrected prediction, so that every seed covers the whole range of latencies.
        """
        space = self._space
        # Uniform draws of a large space may all be deep, and a shallow network's latency would be extrapolated.
        pool = space.all_codes() if space.size <= POOL else draw(space, POOL, "balanced", rng)
        pool = np.unique(space.effective(pool), axis=0)
        if len(pool) < 2:
            raise MeasurementError(
                f"the space {space.name} has only {len(pool)} network; a latency is predicted from at least 2"
            )
        order = np.argsort(self._sums.group_ms(pool).sum(axis=1), kind="stable")
        if len(pool) <= count:
            return np.asarray(pool[order])
        inner = [rng.choice(stratum) for stratum in np.array_split(order[1:-1], count - 2)]
        return np.asarray(pool[[order[0], *inner, order[-1]]])

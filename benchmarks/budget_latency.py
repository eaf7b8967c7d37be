"""Latencies of one device as a search may know them: all of them, or the latencies of a few measured networks.

Symbols:
    N: architectures of the space, in listing order.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.regression.features import latency_views
from surrogate_nas.hardware.regression.sparse import FEWEST, fit_latency
from surrogate_nas.predictor.protocol import Floats
from surrogate_nas.space.space import Space

# Of the measurements, this share at most is kept for networks that the search is about to answer with.
CHECK_SHARE = 0.1
CONFIDENCE = 0.95


@dataclass
class DeviceLatency:
    """The known latencies of a device, and the measurements that are left.

    Attributes:
        expected_ms: Latency to search by, shape (N,).
        cautious_ms: Latency that is hardly exceeded, shape (N,).
        checks: Measurements that are left.
        true_ms: What a measurement gives, shape (N,); nothing but ``fits`` may look.
        measured_ms: Position of an architecture to what was measured.
    """

    expected_ms: Floats
    cautious_ms: Floats
    checks: int
    true_ms: Floats
    measured_ms: dict[int, float] = field(default_factory=dict)

    def fits(self, row: int, limit_ms: float, *, measure: bool) -> bool:
        """Returns whether an architecture is taken to keep a limit; measures it if that is allowed and any is left."""
        if row not in self.measured_ms and measure and self.checks > 0:
            self.checks -= 1
            self.measured_ms[row] = float(self.true_ms[row])
        if row in self.measured_ms:
            return self.measured_ms[row] <= limit_ms
        return bool(self.cautious_ms[row] <= limit_ms)

    def updated(self, latency_ms: Floats) -> Floats:
        """Returns latencies with what was measured in place of what was predicted, shape (N,)."""
        result = latency_ms.copy()
        for row, value in self.measured_ms.items():
            result[row] = value
        return result


def from_table(true_ms: Floats) -> DeviceLatency:
    """Returns a device whose latencies are all in a table."""
    return DeviceLatency(true_ms, true_ms, 0, true_ms)


def from_samples(space: Space, true_ms: Floats, samples: int, seed: int) -> DeviceLatency:
    """Returns a device of which ``samples`` networks are measured: most to predict others, the rest to check answers.

    Raises:
        SettingsError: If there are too few.
    """
    checks = int(samples * CHECK_SHARE)
    drawn = samples - checks
    connected = np.flatnonzero(space.is_connected(space.all_codes()))
    if not FEWEST <= drawn <= len(connected):
        raise SettingsError(
            f"--latency-samples {samples} leave {drawn} for the fit, which needs {FEWEST} to {len(connected)}"
        )
    rows: NDArray[np.int64] = np.random.default_rng([seed, samples]).permutation(connected)[:drawn]
    model = fit_latency(latency_views(space, space.all_codes()), rows, true_ms[rows], seed=seed)
    measured = {int(row): float(true_ms[row]) for row in rows}
    known = DeviceLatency(model.predicted_ms, model.upper_ms(CONFIDENCE), checks, true_ms, measured)
    known.expected_ms, known.cautious_ms = known.updated(known.expected_ms), known.updated(known.cautious_ms)
    return known

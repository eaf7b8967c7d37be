"""Predicts a device's latency in a space too large to list: by pieces timed here, corrected by networks timed there.

How long a piece takes on another device is not known. Groups of pieces take there about a constant times what they take
here, and a few dozen networks that were measured on the device give the factors.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas._support.words import choose_from
from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.measure.correction import fit_correction
from surrogate_nas.hardware.measure.piece_sums import PieceSums
from surrogate_nas.hardware.tables.partial import Rows
from surrogate_nas.hardware.tables.predicted import read_conditions, read_drift, typical_error
from surrogate_nas.space.space import Space


class CorrectedPieces:
    """Latency of every architecture on a device of which a table has some.

    Args:
        space: Search space of the codes.
        path: The table.
        rows: What it has of the device, M architectures.
        sums: Latencies of pieces on this machine.
    """

    names: tuple[str, ...] = ("latency_ms",)

    def __init__(self, space: Space, path: Path, rows: Rows, sums: PieceSums) -> None:
        self._space, self._path, self._rows, self._sums = space, path, rows, sums
        self._drift, self._measured_with = read_drift(path), read_conditions(path)
        codes = space.effective(rows.codes)
        self._correction = fit_correction(sums.group_ms(codes), rows.ms, sums.weights(codes))
        # Leaving out an end of the range needs an extrapolation, which no other architecture needs.
        self._inner = np.argsort(rows.ms, kind="stable")[1:-1]

    def evaluate(self, codes: ArrayLike) -> dict[str, NDArray[np.float64]]:
        """Returns predicted latency in ms of codes (N, D), shape (N,)."""
        effective = self._space.effective(codes)
        return {"latency_ms": self._correction.predict(self._sums.group_ms(effective), self._sums.weights(effective))}

    def relative_error(self, cost: str) -> float | None:
        """Returns the median relative error on networks left out of the fit, drift included.

        Raises:
            SettingsError: If the cost is not the latency.
        """
        return typical_error(self.held_out_errors(cost), self._drift)

    def held_out_errors(self, cost: str) -> NDArray[np.float64]:
        """Returns measured / predicted - 1 of networks left out of the fit, widened by drift, but for the two ends.

        Raises:
            SettingsError: If the cost is not the latency.
        """
        if cost not in self.names:
            raise SettingsError(f"unknown cost {cost!r}; {choose_from(self.names, cost)}")
        return self._correction.held_out[self._inner] + self._drift

    def describe(self) -> dict[str, Any]:
        """Returns file, column, and how the table was used."""
        texts = "\n".join(self._space.digits(self._rows.codes)).encode() + self._rows.ms.tobytes()
        said = {
            "kind": "table",
            "file": self._path.name,
            "device": self._rows.device,
            "measured_with": self._measured_with,
            "machine": self._sums.machine,
            "architectures": len(self._rows.ms),
            "content": hashlib.sha256(texts).hexdigest()[:16],
            "correction": self._correction.kind,
            "notes": [
                f"latencies of pieces on this machine, corrected by {len(self._rows.ms):,} architectures of the table"
            ],
        }
        return {"latency_ms": said}

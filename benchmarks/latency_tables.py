"""Tables of measured latencies of many devices, as the benchmarks read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.errors import CostTableError
from surrogate_nas.hardware.tables.text_columns import read_columns
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Space

LAYERS = "layers"
"""In the place of a space: any chain of layers, a digit of the code each."""


@dataclass(frozen=True)
class DeviceTable:
    """Latencies of N architectures on some devices.

    Attributes:
        space: The space; None for a chain of layers of which nothing else is known.
        digits: Code of each architecture as text, length N.
        codes: The same as integers, shape (N, D).
        latency_ms: Name of each device to its latencies, shape (N,).
    """

    space: Space | None
    digits: tuple[str, ...]
    codes: NDArray[np.integer]
    latency_ms: dict[str, NDArray[np.float64]]

    @property
    def connected(self) -> NDArray[np.bool_]:
        """True for architectures that compute something, shape (N,)."""
        return self.space.is_connected(self.codes) if self.space else np.ones(len(self.codes), dtype=bool)

    def subset(self, devices: Sequence[str]) -> "DeviceTable":
        """Returns the same of some devices.

        Raises:
            CostTableError: If there is no such device.
        """
        for device in devices:
            if device not in self.latency_ms:
                raise CostTableError(f"unknown device {device!r}; choose from {', '.join(self.latency_ms)}")
        return DeviceTable(self.space, self.digits, self.codes, {name: self.latency_ms[name] for name in devices})


def read_devices(path: Path, space_name: str) -> DeviceTable:
    """Reads a CSV or Parquet file with a column ``code`` and one of milliseconds per device.

    Args:
        path: The file; rows need not cover the space.
        space_name: Name of a space or path of its definition, or ``layers``.

    Raises:
        CostTableError: If the file cannot be read, or a code or a latency is none.
        SettingsError: If there is no such space.
    """
    columns = read_columns(path)
    if "code" not in columns.names or len(columns.names) < 2:
        raise CostTableError(f"{path}: a table needs a column 'code' and one per device (got {columns.names})")
    digits = columns.texts("code")
    if not digits:
        raise CostTableError(f"{path} has no rows")
    space = None if space_name == LAYERS else load_space(space_name)
    if space is not None:
        codes: NDArray[np.integer] = np.array([space.parse(text) for text in digits])
    else:
        if len({len(text) for text in digits}) > 1 or not all(text.isascii() and text.isdigit() for text in digits):
            raise CostTableError(f"{path}: codes of layers are digits, the same number in every row")
        codes = np.array([[int(character) for character in text] for text in digits])
    latency = {}
    for name in (name for name in columns.names if name not in ("code", "arch")):
        try:
            values = np.array(columns.texts(name), dtype=np.float64)
        except ValueError:
            raise CostTableError(f"{path}: column {name} has cells that are not numbers") from None
        if not (np.isfinite(values).all() and (values > 0).all()):
            raise CostTableError(f"{path}: column {name} has latencies that are missing or not above zero")
        latency[name] = values
    return DeviceTable(space, tuple(digits), codes, latency)

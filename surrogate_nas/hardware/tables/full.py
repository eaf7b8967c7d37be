"""Reads latency tables: files with the milliseconds of every architecture on one or more devices.

A file is CSV or Parquet with a column ``code`` (one digit per decision) or ``arch`` (the long form), and one column per
device. It must cover the whole space: a search must not treat a missing row as fast. A column ``DEVICE_energy_mj``
holds energies of the device in millijoules; ``DEVICE_ram_bytes`` and ``DEVICE_flash_bytes`` hold what each architecture
takes of its memory.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas._support.words import choose_from
from surrogate_nas.errors import CostTableError, SettingsError
from surrogate_nas.hardware.tables.cell_numbers import positive_numbers
from surrogate_nas.hardware.tables.device_columns import OTHER_COSTS, code_column, device_column, other_columns
from surrogate_nas.hardware.tables.latency_units import UNITS, doubt_of_unit
from surrogate_nas.hardware.tables.predicted import (
    is_own,
    read_conditions,
    read_drift,
    read_held_out,
    require_own,
    typical_error,
)
from surrogate_nas.hardware.tables.row_codes import code_texts, parse_rows, require_once
from surrogate_nas.hardware.tables.text_columns import Columns, read_columns
from surrogate_nas.space.space import Space


class TableLatency:
    """Latency of one device, looked up in a table.

    The values are of architectures as written, as tables were measured on those: an architecture with dead
    operations may cost more than the same one without.

    Args:
        space: Search space of the codes.
        path: The file, ``.csv`` or ``.parquet``.
        device: The column; ``auto`` takes the only one.
        unit: Unit of the latencies, ``auto`` for milliseconds, which are refused where they look like
            seconds or microseconds.

    Raises:
        CostTableError: If the file cannot be read or is not a complete table of the space; the message names file,
            row and column.
    """

    def __init__(self, space: Space, path: Path, device: str, unit: str = "auto") -> None:
        if not space.listable:
            raise CostTableError(f"{path}: {space.name} is too large to enumerate, which a latency table needs")
        self._space = space
        self._path = path
        columns = read_columns(path)
        require_own(path, space, unit)
        key = code_column(columns)
        self._device = device_column(columns, device)
        positions = _positions(space, columns, key)
        values = positive_numbers(columns, self._device) * UNITS[unit]
        self._held_out = read_held_out(path, self._device)
        self._measured_with, self._drift = read_conditions(path), read_drift(path)
        # Predictions of this project are always in milliseconds, even if they are small.
        doubt = None if is_own(path) else doubt_of_unit(values, self._device, unit)
        if doubt is not None:
            raise CostTableError(f"{path}, column {self._device}: {doubt}")
        self._values = {"latency_ms": _placed(values, positions)}
        for cost, name in other_columns(columns, self._device).items():
            self._values[cost] = _placed(positive_numbers(columns, name, OTHER_COSTS[cost]), positions)
        self.names: tuple[str, ...] = tuple(self._values)

    def evaluate(self, codes: ArrayLike) -> dict[str, NDArray[np.float64]]:
        """Returns latency in ms, and other costs that the table has, of codes (N, D); shape (N,) each."""
        positions = self._space.index(codes)
        return {cost: values[positions] for cost, values in self._values.items()}

    def relative_error(self, cost: str) -> float | None:
        """Returns the median error of predictions; None for a measured table, which does not state its accuracy.

        Raises:
            SettingsError: If the cost is not in the table.
        """
        errors = self.held_out_errors(cost)
        return typical_error(errors, self._drift) if len(errors) else None

    def held_out_errors(self, cost: str) -> NDArray[np.float64]:
        """Returns errors of networks left out, shape (M,), where the table holds predictions of this project.

        Raises:
            SettingsError: If the cost is not in the table.
        """
        if cost not in self.names:
            raise SettingsError(f"unknown cost {cost!r}; {choose_from(self.names, cost)}")
        return self._held_out if cost == "latency_ms" else np.zeros(0)

    def describe(self) -> dict[str, Any]:
        """Returns file, column and range of the table."""
        latency = self._values["latency_ms"]
        predicted = len(self._held_out) > 0
        said: dict[str, Any] = {
            "latency_ms": {
                "kind": "table",
                "file": self._path.name,
                "device": self._device,
                "measured_with": self._measured_with,
                "architectures": len(latency),
                "smallest_ms": float(latency.min()),
                "largest_ms": float(latency.max()),
                "notes": [
                    f"predicted from {len(self._held_out)} measured networks"
                    if predicted
                    else "of architectures as written, with their dead operations"
                ],
            }
        }
        for cost in self.names[1:]:
            unit = OTHER_COSTS[cost][1]
            said[cost] = {
                "kind": "table",
                "file": self._path.name,
                "device": self._device,
                "measured_with": self._measured_with,
                "unit": unit,
                "notes": [],
            }
        return said


def _positions(space: Space, columns: Columns, name: str) -> NDArray[np.int64]:
    """Returns the position in the space of every row, shape (size,), after a check that each occurs once."""
    texts = code_texts(space, columns, name)
    rows = parse_rows(space, texts, columns, name)
    positions = space.index(np.array(rows)) if rows else np.zeros(0, dtype=np.int64)
    require_once(columns, name, positions)
    missing = np.ones(space.size, dtype=bool)
    missing[positions] = False
    if missing.any():
        code = space.digits(space.codes_at(np.flatnonzero(missing)[:1]))[0]
        raise CostTableError(
            f"{columns.path}: {missing.sum():,} of the {space.size:,} architectures of {space.name} are missing,"
            f" the first is {code}; add their rows"
        )
    return positions


def _placed(values: NDArray[np.float64], positions: NDArray[np.int64]) -> NDArray[np.float64]:
    placed = np.empty(len(values))
    placed[positions] = values
    return placed

"""Reads latency tables: files with the milliseconds of every architecture on one or more devices.

A file is CSV or Parquet with a column ``code`` (one digit per decision) or ``arch`` (the long form), and one column per
device. It must cover the whole space: a search must not treat a missing row as fast. A column ``DEVICE_energy_mj``
holds energies of the device in millijoules.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.errors import CostTableError, SettingsError, SpaceError
from surrogate_nas.hardware.tables.predicted import read_held_out
from surrogate_nas.hardware.tables.table_check import ENERGY_SUFFIX, looks_like_seconds
from surrogate_nas.hardware.tables.text_columns import Columns, read_columns
from surrogate_nas.space.space import Space

CODE_COLUMNS = ("code", "arch")
UNITS = {"auto": 1.0, "us": 1e-3, "ms": 1.0, "s": 1e3}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


class TableLatency:
    """Latency of one device, looked up in a table.

    The values are of architectures as written, as tables were measured on those: an architecture with dead
    operations may cost more than the same one without.

    Args:
        space: Search space of the codes.
        path: The file, ``.csv`` or ``.parquet``.
        device: The column; ``auto`` takes the only one.
        unit: Unit of the latencies, ``auto`` for milliseconds that are checked for looking like seconds.

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
        key = code_column(columns)
        self._device = device_column(columns, device)
        positions = _positions(space, columns, key)
        values = milliseconds(columns, self._device) * UNITS[unit]
        self._held_out = read_held_out(path, self._device)
        # Predictions of this project are always in milliseconds, even if they are small.
        if unit == "auto" and not len(self._held_out) and looks_like_seconds(values):
            raise CostTableError(
                f"{path}, column {self._device}: half of the latencies are below {np.median(values):.3g}, which looks"
                " like seconds rather than milliseconds; set hardware.latency_unit to s if so, to ms if not"
            )
        self._values = {"latency_ms": _placed(values, positions)}
        energy = next((one for one in (f"{self._device}_{ENERGY_SUFFIX}", ENERGY_SUFFIX) if one in columns.names), None)
        if energy is not None:
            self._values["energy_mj"] = _placed(milliseconds(columns, energy, "an energy", "millijoules"), positions)
        self.names: tuple[str, ...] = tuple(self._values)

    def evaluate(self, codes: ArrayLike) -> dict[str, NDArray[np.float64]]:
        """Returns latency in ms, and energy in mJ where the table has it, of codes (N, D); shape (N,) each."""
        positions = self._space.index(codes)
        return {cost: values[positions] for cost, values in self._values.items()}

    def relative_error(self, cost: str) -> float | None:
        """Returns the median error of predictions; None for a measured table, which does not state its accuracy.

        Raises:
            SettingsError: If the cost is not in the table.
        """
        errors = self.held_out_errors(cost)
        return float(np.median(np.abs(1 - 1 / (1 + errors)))) if len(errors) else None

    def held_out_errors(self, cost: str) -> NDArray[np.float64]:
        """Returns errors of networks left out, shape (M,), where the table holds predictions of this project.

        Raises:
            SettingsError: If the cost is not in the table.
        """
        if cost not in self.names:
            raise SettingsError(f"unknown cost {cost!r}; choose from {', '.join(self.names)}")
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
        if "energy_mj" in self._values:
            said["energy_mj"] = {
                "kind": "table",
                "file": self._path.name,
                "device": self._device,
                "unit": "millijoules",
            }
        return said


def code_column(columns: Columns) -> str:
    """Returns the column of architectures.

    Raises:
        CostTableError: If there is none.
    """
    for name in CODE_COLUMNS:
        if name in columns.names:
            return name
    raise CostTableError(
        f"{columns.path}: a latency table needs a column 'code' (one digit per decision) or 'arch',"
        f" separated by commas in CSV (got {_listed(columns.names)})"
    )


def device_column(columns: Columns, device: str) -> str:
    """Returns the column of a device; ``auto`` takes the only one.

    Raises:
        CostTableError: If there is none, or more than one for ``auto``.
    """
    names = [one for one in columns.names if one not in CODE_COLUMNS and not one.endswith(ENERGY_SUFFIX)]
    if device == "auto" and len(names) == 1:
        return names[0]
    if device not in names:
        wanted = "name the device" if device == "auto" else f"unknown device {device!r}"
        raise CostTableError(f"{columns.path}: {wanted}; choose from the columns {_listed(names)}")
    return device


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if names else "none"


def _positions(space: Space, columns: Columns, name: str) -> NDArray[np.int64]:
    """Returns the position in the space of every row, shape (size,), after a check that each occurs once."""
    texts = columns.texts(name)
    rows = [parse_row(space, text, columns, name, row) for row, text in enumerate(texts)]
    positions = space.index(np.array(rows)) if rows else np.zeros(0, dtype=np.int64)
    _, first, count = np.unique(positions, return_index=True, return_counts=True)
    if (count > 1).any():
        earlier = int(first[count > 1].min())
        later = int(np.flatnonzero(positions == positions[earlier])[1])
        raise CostTableError(
            f"{columns.where(later, name)}: architecture {texts[later]} appears twice, first in"
            f" {columns.place(earlier)}; keep one of the rows"
        )
    missing = np.ones(space.size, dtype=bool)
    missing[positions] = False
    if missing.any():
        code = space.digits(space.codes_at(np.flatnonzero(missing)[:1]))[0]
        raise CostTableError(
            f"{columns.path}: {missing.sum():,} of the {space.size:,} architectures of {space.name} are missing,"
            f" the first is {code}; add their rows"
        )
    return positions


def parse_row(space: Space, text: str, columns: Columns, name: str, row: int) -> NDArray[np.int8]:
    """Returns the code of a row, shape (D,).

    Raises:
        CostTableError: If it is not a code of the space.
    """
    try:
        return space.parse(text)
    except SpaceError as error:
        where = columns.where(row, name)
        if name == "arch":
            raise CostTableError(f"{where}: {error}; use a table of this space") from None
        example = space.digits(np.zeros((1, space.num_decisions), dtype=np.int8))[0]
        remedy = f"use a table of this space, whose codes are like {example}"
        if text.isascii() and text.isdigit() and len(text) < space.num_decisions:
            remedy = f"codes have {space.num_decisions} digits: keep the column as text, so that leading zeros stay"
        raise CostTableError(f"{where}: {text!r} is not an architecture of {space.name}; {remedy}") from None


def _placed(values: NDArray[np.float64], positions: NDArray[np.int64]) -> NDArray[np.float64]:
    placed = np.empty(len(values))
    placed[positions] = values
    return placed


def milliseconds(
    columns: Columns, name: str, what: str = "a latency", unit: str = "milliseconds"
) -> NDArray[np.float64]:
    """Returns a column of numbers above zero, shape (rows,).

    Raises:
        CostTableError: If a cell is not such a number, or all are equal.
    """
    texts = columns.texts(name)
    values = np.empty(len(texts))
    for row, text in enumerate(texts):
        number = float(text) if _NUMBER.fullmatch(text) else np.nan
        if not np.isfinite(number) or number <= 0:
            got = repr(text) if text else "an empty cell"
            raise CostTableError(
                f"{columns.where(row, name)}: {what} must be a finite number of {unit} above zero, with a"
                f" decimal point (got {got}); correct it or measure that architecture again"
            )
        values[row] = number
    if len(values) > 1 and np.ptp(values) == 0:
        raise CostTableError(
            f"{columns.path}, column {name}: every architecture has {what} of {values[0]:g}, so no budget can tell"
            " them apart; use a measured column"
        )
    return values

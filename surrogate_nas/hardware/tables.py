"""Latency tables: files with the milliseconds of every architecture on one or more devices.

A file is CSV or Parquet with a column ``code`` (one digit per decision) or ``arch`` (the long form), and one column per
device. It must cover the whole space: a search must not take the lack of a row for speed.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.errors import CostTableError, SettingsError, SpaceError
from surrogate_nas.hardware.table_files import Columns, read_columns
from surrogate_nas.space.space import Space

CODE_COLUMNS = ("code", "arch")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


class TableLatency:
    """Latency of one device, looked up in a table.

    The values are of architectures as written, since that is what tables were measured on: an architecture with dead
    operations may cost more than the same one without.

    Args:
        space: Search space of the codes.
        path: The file, ``.csv`` or ``.parquet``.
        device: The column; ``auto`` takes the only one.

    Raises:
        CostTableError: If the file cannot be read or is no complete table of the space; the message names file, row and
            column.
    """

    names: tuple[str, ...] = ("latency_ms",)

    def __init__(self, space: Space, path: Path, device: str) -> None:
        if not space.listable:
            raise CostTableError(f"{path}: a latency table needs a space that can be listed; {space.name} is too large")
        self._space = space
        self._path = path
        columns = read_columns(path)
        code_column = _code_column(columns)
        self._device = _device_column(columns, device)
        positions = _positions(space, columns, code_column)
        values = _milliseconds(columns, self._device)
        self._values = np.empty(space.size)
        self._values[positions] = values

    def evaluate(self, codes: ArrayLike) -> dict[str, NDArray[np.float64]]:
        """Latency in ms as the table has it, for codes (N, D); shape (N,)."""
        return {"latency_ms": self._values[self._space.index(codes)]}

    def relative_error(self, cost: str) -> float | None:
        """None: a table does not say how it was measured.

        Raises:
            SettingsError: If the cost is not the latency.
        """
        if cost not in self.names:
            raise SettingsError(f"unknown cost {cost!r}; choose from {', '.join(self.names)}")
        return None

    def describe(self) -> dict[str, Any]:
        """File, column and range."""
        return {
            "latency_ms": {
                "kind": "table",
                "file": self._path.name,
                "device": self._device,
                "architectures": len(self._values),
                "smallest_ms": float(self._values.min()),
                "largest_ms": float(self._values.max()),
                "notes": ["of architectures as written, with their dead operations"],
            }
        }


def _code_column(columns: Columns) -> str:
    for name in CODE_COLUMNS:
        if name in columns.names:
            return name
    raise CostTableError(
        f"{columns.path}: a latency table needs a column 'code' (one digit per decision) or 'arch',"
        f" separated by commas in CSV (got {_listed(columns.names)})"
    )


def _device_column(columns: Columns, device: str) -> str:
    names = [name for name in columns.names if name not in CODE_COLUMNS]
    if device == "auto" and len(names) == 1:
        return names[0]
    if device not in names:
        wanted = "name the device" if device == "auto" else f"unknown device {device!r}"
        raise CostTableError(f"{columns.path}: {wanted}; choose from the columns {_listed(names)}")
    return device


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if names else "none"


def _positions(space: Space, columns: Columns, name: str) -> NDArray[np.int64]:
    """Position in the space of every row, each once and none missing, shape (size,)."""
    texts = columns.texts(name)
    rows = [_parse(space, text, columns, name, row) for row, text in enumerate(texts)]
    positions = space.index(np.array(rows)) if rows else np.zeros(0, dtype=np.int64)
    _, first, count = np.unique(positions, return_index=True, return_counts=True)
    if (count > 1).any():
        earlier = int(first[count > 1].min())
        later = int(np.flatnonzero(positions == positions[earlier])[1])
        raise CostTableError(
            f"{columns.where(later, name)}: architecture {texts[later]} is listed twice, first in"
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


def _parse(space: Space, text: str, columns: Columns, name: str, row: int) -> NDArray[np.int8]:
    try:
        return space.parse(text)
    except SpaceError as error:
        where = columns.where(row, name)
        if name == "arch":
            raise CostTableError(f"{where}: {error}; use a table of this space") from None
        remedy = f"use a table of this space, whose codes are like {space.digits(space.codes_at(np.array([1])))[0]}"
        if text.isascii() and text.isdigit() and len(text) < space.num_decisions:
            remedy = f"codes have {space.num_decisions} digits: keep the column as text, so that leading zeros stay"
        raise CostTableError(f"{where}: {text!r} is no architecture of {space.name}; {remedy}") from None


def _milliseconds(columns: Columns, name: str) -> NDArray[np.float64]:
    texts = columns.texts(name)
    values = np.empty(len(texts))
    for row, text in enumerate(texts):
        number = float(text) if _NUMBER.fullmatch(text) else np.nan
        if not np.isfinite(number) or number <= 0:
            got = repr(text) if text else "an empty cell"
            raise CostTableError(
                f"{columns.where(row, name)}: a latency must be a finite number of milliseconds above zero, with a"
                f" decimal point (got {got}); correct it or measure that architecture again"
            )
        values[row] = number
    if len(values) > 1 and np.ptp(values) == 0:
        raise CostTableError(
            f"{columns.path}, column {name}: every architecture has the latency {values[0]:g}, so no budget can tell"
            " them apart; use a measured column"
        )
    return values

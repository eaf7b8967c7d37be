"""Finds all faults of a latency table at once: missing, repeated and foreign rows, bad cells, constant columns.

Reading a table for a study stops at the first fault; a user who corrects a file wants to see all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from surrogate_nas._support.words import count_of
from surrogate_nas.errors import CostTableError
from surrogate_nas.hardware.tables.cell_numbers import LATENCY, fault_of, read_numbers
from surrogate_nas.hardware.tables.device_columns import (
    CODE_COLUMNS,
    OTHER_COSTS,
    code_column,
    fault_of_name,
    number_columns,
    other_cost,
)
from surrogate_nas.hardware.tables.latency_units import UNITS, doubt_of_unit
from surrogate_nas.hardware.tables.partial import rows_needed
from surrogate_nas.hardware.tables.predicted import is_own, require_own
from surrogate_nas.hardware.tables.row_codes import code_texts, parse_row
from surrogate_nas.hardware.tables.text_columns import Columns, read_columns
from surrogate_nas.space.space import Space

_SIGNS_OF_BUDGETS = (",", "=", ";")
_EXAMPLES, _OF_A_COLUMN, _NAMED = 5, 3, 5


@dataclass
class ColumnCheck:
    """Faults of one column of a device.

    Attributes:
        name: Name of the column.
        missing: Empty cells.
        not_numbers: Cells without a finite number.
        negative: Numbers that are not above zero.
        constant: Whether all numbers are one and the same.
        doubt: Why the values hardly are milliseconds, by their size or the column's name, and what to do; None where
            they may be.
        examples: Places of a few bad cells.
        smallest, median, largest: Over the good values of architectures of the space, in milliseconds or the column's
            own unit; NaN where there is none.
    """

    name: str
    missing: int = 0
    not_numbers: int = 0
    negative: int = 0
    constant: bool = False
    doubt: str | None = None
    examples: list[str] = field(default_factory=list)
    smallest: float = float("nan")
    median: float = float("nan")
    largest: float = float("nan")

    @property
    def faults(self) -> list[str]:
        """Faults in words."""
        said = []
        for count, *nouns in (
            (self.missing, "empty cell", "empty cells"),
            (self.not_numbers, "cell that is not a number", "cells that are not numbers"),
            (self.negative, "value that is not above zero", "values that are not above zero"),
        ):
            if count:
                said.append(count_of(count, *nouns))
        if self.constant:
            said.append("every value is the same")
        if self.doubt is not None:
            said.append(self.doubt)
        return said


@dataclass
class TableCheck:
    """Faults of a whole table.

    Attributes:
        path: The file.
        rows: Rows of the file.
        missing: Architectures of the space without a row; of a large chain, rows that its sum over layers lacks.
        duplicates: Rows of architectures that an earlier row has.
        foreign: Rows whose code is not an architecture of the space.
        examples: Places of a few faults.
        columns: One check per column of a device.
        ignored: Columns that a study does not read: texts, and numbers of rows.
        orphans: Columns of other costs of devices without a column of latencies, which a study does not read either.
    """

    path: Path
    rows: int
    missing: int = 0
    duplicates: int = 0
    foreign: int = 0
    examples: list[str] = field(default_factory=list)
    columns: list[ColumnCheck] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """True if a study can use every column."""
        faulty = any(column.faults for column in self.columns)
        return self.has_latencies and not (self.missing or self.duplicates or self.foreign or faulty)

    @property
    def has_latencies(self) -> bool:
        """True if a column is of latencies, which a study needs; other costs of a device come along."""
        return any(other_cost(column.name) is None for column in self.columns)


def check_table(path: Path, space: Space, unit: str = "auto") -> TableCheck:
    """Returns all faults of a table.

    Args:
        path: The file.
        space: The space.
        unit: Unit of the latencies, a key of ``UNITS``.

    Raises:
        CostTableError: If the file cannot be read as a table, or has no column of codes.
    """
    columns = read_columns(path)
    require_own(path, space, unit)
    name = code_column(columns)
    found = TableCheck(path, len(columns.texts(name)))
    own = _check_codes(found, columns, name, space)
    devices = number_columns(columns)
    # What the project writes is in milliseconds, even if it is small.
    found.columns = [_check_column(columns, one, "ms" if is_own(path) else unit, own) for one in devices]
    found.orphans = [one for one in devices if _is_orphan(one, devices)]
    found.ignored = [one for one in columns.names if one not in (*CODE_COLUMNS, *devices)]
    return found


def _is_orphan(column: str, columns: Sequence[str]) -> bool:
    """Returns whether a column is of another cost than latency, of a device that has no latencies in the table."""
    cost = other_cost(column)
    return cost is not None and column != cost and column.removesuffix(f"_{cost}") not in columns


def _check_codes(found: TableCheck, columns: Columns, name: str, space: Space) -> NDArray[np.bool_]:
    """Counts faults of codes; returns which rows are of an architecture of the space, shape (rows,)."""
    own = np.ones(found.rows, dtype=np.bool_)
    seen: dict[str, int] = {}
    known: dict[str, str] = {}
    for row, text in enumerate(code_texts(space, columns, name)):
        try:
            if text not in known:
                known[text] = space.digits(parse_row(space, text, columns, name, row)[None])[0]
            digits = known[text]
        except CostTableError as error:
            found.foreign += 1
            own[row] = False
            _example(found.examples, _without_path(found.path, str(error)), _EXAMPLES)
            continue
        if digits in seen:
            found.duplicates += 1
            _example(
                found.examples,
                f"{columns.place(row)}: {text} appears already in {columns.place(seen[digits])}",
                _EXAMPLES,
            )
        seen.setdefault(digits, row)
    found.missing = max(0, rows_needed(space) - len(seen))
    if found.missing and space.listable:
        absent = list(islice((digits for digits in space.digits(space.all_codes()) if digits not in seen), _NAMED))
        more = found.missing - len(absent)
        others = f" and {more:,} more" if more > 0 else ""
        _example(found.examples, f"no row of {', '.join(absent)}{others}", _EXAMPLES)
    return own


def _example(examples: list[str], text: str, most: int) -> None:
    if len(examples) < most:
        examples.append(text)


def _without_path(path: Path, text: str) -> str:
    return text.removeprefix(f"{path}, ")


def _check_column(columns: Columns, name: str, unit: str, own: NDArray[np.bool_]) -> ColumnCheck:
    check, cost = ColumnCheck(name), other_cost(name)
    kind = LATENCY if cost is None else OTHER_COSTS[cost]
    values = read_numbers(columns, name)
    for row, (text, value) in enumerate(zip(columns.texts(name), values.tolist(), strict=True)):
        fault = fault_of(columns, name, row, value, kind)
        if fault is None:
            continue
        _example(check.examples, _without_path(columns.path, fault), _OF_A_COLUMN)
        check.missing += not text
        check.not_numbers += bool(text) and not np.isfinite(value)
        check.negative += bool(np.isfinite(value))
    good = values[own & (values > 0)]  # NaN is not
    good = good[np.isfinite(good)] * (UNITS[unit] if cost is None else 1.0)
    if len(good):
        check.smallest, check.median, check.largest = float(good.min()), float(np.median(good)), float(good.max())
        check.constant = len(good) > 1 and check.smallest == check.largest
        check.doubt = doubt_of_unit(good, name, unit) if cost is None else None
    if sign := next((sign for sign in _SIGNS_OF_BUDGETS if sign in name), None):
        check.doubt = f"its name has {sign!r} in it, which parts the devices of a budget; rename it"
    check.doubt = fault_of_name(name) or check.doubt
    return check

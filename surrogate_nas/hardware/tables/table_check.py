"""Finds all faults of a latency table at once: missing, repeated and foreign rows, bad cells, constant columns.

Reading a table for a study stops at the first fault; a user who corrects a file wants to see all of them.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from surrogate_nas._support.words import count_of
from surrogate_nas.errors import CostTableError, SpaceError
from surrogate_nas.hardware.tables.text_columns import Columns, read_columns
from surrogate_nas.space.space import Space

UNLIKELY_MEDIAN_MS = 0.25
"""A lower median more often means a table in seconds than image classifiers that are so fast."""


@dataclass
class ColumnCheck:
    """Faults of one column of a device.

    Attributes:
        name: Name of the column.
        missing: Empty cells.
        not_numbers: Cells without a finite number.
        negative: Numbers that are not above zero.
        constant: Whether all numbers are one and the same.
        seconds: Whether the values look like seconds rather than milliseconds.
        smallest, median, largest: Over the good values; NaN where there is none.
    """

    name: str
    missing: int = 0
    not_numbers: int = 0
    negative: int = 0
    constant: bool = False
    seconds: bool = False
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
        if self.seconds:
            said.append(f"median {self.median:g}: are these seconds? then set hardware.latency_unit to s, else to ms")
        return said


@dataclass
class TableCheck:
    """Faults of a whole table.

    Attributes:
        path: The file.
        rows: Rows of the file.
        missing: Architectures of the space without a row.
        duplicates: Rows of architectures that an earlier row has.
        foreign: Rows whose code is not an architecture of the space.
        examples: Places of a few faults.
        columns: One check per column of a device.
    """

    path: Path
    rows: int
    missing: int = 0
    duplicates: int = 0
    foreign: int = 0
    examples: list[str] = field(default_factory=list)
    columns: list[ColumnCheck] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """True if a study can use every column."""
        return not (self.missing or self.duplicates or self.foreign or any(column.faults for column in self.columns))


def check_table(path: Path, space: Space) -> TableCheck:
    """Returns all faults of a table.

    Raises:
        CostTableError: If the file cannot be read as a table, or has no column of codes.
    """
    columns = read_columns(path)
    name = next((name for name in ("code", "arch") if name in columns.names), None)
    if name is None:
        raise CostTableError(
            f"{path}: a latency table needs a column 'code' or 'arch' (got {', '.join(columns.names)})"
        )
    found = TableCheck(path, len(columns.texts(name)))
    _check_codes(found, columns, name, space)
    found.columns = [_check_column(columns, one) for one in columns.names if one not in ("code", "arch")]
    return found


def looks_like_seconds(values: NDArray[np.float64]) -> bool:
    """Returns whether latencies, shape (N,), above zero, are too small to be milliseconds of whole networks."""
    return bool(len(values) and np.median(values) < UNLIKELY_MEDIAN_MS)


def _check_codes(found: TableCheck, columns: Columns, name: str, space: Space) -> None:
    seen: dict[str, int] = {}
    for row, text in enumerate(columns.texts(name)):
        try:
            digits = space.digits(space.parse(text)[None])[0]
        except SpaceError:
            found.foreign += 1
            _example(found, f"{columns.place(row)}: {text!r} is not an architecture of {space.name}")
            continue
        if digits in seen:
            found.duplicates += 1
            _example(found, f"{columns.place(row)}: {text} appears already in {columns.place(seen[digits])}")
        seen.setdefault(digits, row)
    found.missing = space.size - len(seen)
    if found.missing and space.listable:
        absent = next(digits for digits in space.digits(space.all_codes()) if digits not in seen)
        _example(found, f"no row of {absent}")


def _example(found: TableCheck, text: str, most: int = 5) -> None:
    if len(found.examples) < most:
        found.examples.append(text)


def _check_column(columns: Columns, name: str) -> ColumnCheck:
    check = ColumnCheck(name)
    good = []
    for text in columns.texts(name):
        if not text:
            check.missing += 1
            continue
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not np.isfinite(number):
            check.not_numbers += 1
        elif number <= 0:
            check.negative += 1
        else:
            good.append(number)
    values = np.array(good)
    if len(values):
        check.smallest, check.median, check.largest = float(values.min()), float(np.median(values)), float(values.max())
        check.constant = len(values) > 1 and check.smallest == check.largest
        check.seconds = not name.endswith(ENERGY_SUFFIX) and looks_like_seconds(values)
    return check


ENERGY_SUFFIX = "energy_mj"
"""A column of this name, or of a device's name, an underscore and this, holds energies in millijoules."""

"""Reads the columns of a CSV or Parquet file as text, which keeps what a number would lose, such as leading zeros."""

import csv
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa

from surrogate_nas._support.stored.csv_rows import read_csv_rows
from surrogate_nas._support.stored.parquet_texts import read_parquet_texts
from surrogate_nas._support.words import first_line, shown
from surrogate_nas.errors import CostTableError

_TEXT = (".csv", ".tsv")


@dataclass(frozen=True)
class Columns:
    """Table of text.

    Attributes:
        path: The file it was read from.
        cells: Name of each column to its cells, stripped of white space; empty where there was no value.
        lines: Line of the file that each row ended in; None where rows have no lines, as in Parquet.
        separator: The character between two cells; None where there is none, as in Parquet.
    """

    path: Path
    cells: dict[str, list[str]]
    lines: list[int] | None = None
    separator: str | None = None

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return list(self.cells)

    def texts(self, name: str) -> list[str]:
        """Returns the cells of a column."""
        return self.cells[name]

    def place(self, row: int) -> str:
        """Returns a row's place for messages: its line in a CSV file, its number from 1 in a Parquet file."""
        return f"row {row + 1}" if self.lines is None else f"line {self.lines[row]}"

    def where(self, row: int, name: str) -> str:
        """Returns a cell's place for messages."""
        return f"{self.path}, {self.place(row)}, column {name}"


def read_columns(path: Path) -> Columns:
    """Reads a table.

    Raises:
        CostTableError: If the file is missing, is neither CSV nor Parquet by its name, or cannot be read as such.
    """
    suffix = path.suffix.lower()
    if suffix not in (*_TEXT, ".parquet"):
        remedy = "; save the sheet as 'CSV UTF-8'" if suffix in (".xlsx", ".xls", ".ods") else ""
        raise CostTableError(f"a table must be a .csv, .tsv or .parquet file (got {path}){remedy}")
    if not path.is_file():
        raise CostTableError(f"the latency table does not exist: {path}")
    try:
        columns = _read_csv(path) if suffix in _TEXT else _read_parquet(path)
    except CostTableError:
        raise
    except (OSError, ValueError, csv.Error, pa.ArrowException) as error:
        not_text = suffix in _TEXT and isinstance(error, UnicodeDecodeError)
        reason = "it is not UTF-8; save it as 'CSV UTF-8'" if not_text else first_line(error, 150)
        raise CostTableError(f"{path} cannot be read as {suffix[1:]}: {reason}") from None
    return columns


def _read_csv(path: Path) -> Columns:
    held = read_csv_rows(path, CostTableError)
    _check_header(path, held.header)
    cells = {name: [row[index].strip() for row in held.rows] for index, name in enumerate(held.header)}
    return Columns(path, cells, held.lines, held.separator)


def _read_parquet(path: Path) -> Columns:
    columns = read_parquet_texts(path)
    _check_header(path, [name for name, _ in columns])
    # A text that comes again and again is kept once, with and without the blanks around it.
    stripped = cache(str.strip)
    return Columns(path, {name: [stripped(cell) for cell in cells] for name, cells in columns})


def _check_header(path: Path, names: list[str]) -> None:
    if not names or not any(names):
        raise CostTableError(f"{path} is empty; a table has a header and a row per architecture")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise CostTableError(f"{path}: the column {shown(twice[0])} appears twice; rename one")

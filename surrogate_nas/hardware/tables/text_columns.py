"""Reads the columns of a CSV or Parquet file as text, which keeps what a number would lose, such as leading zeros."""

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from surrogate_nas._support.parquet_texts import read_parquet_texts
from surrogate_nas._support.words import count_of, first_line
from surrogate_nas.errors import CostTableError


@dataclass(frozen=True)
class Columns:
    """Table of text.

    Attributes:
        path: The file it was read from.
        cells: Name of each column to its cells, stripped of white space; empty where there was no value.
        lines: Line of the file that each row ended in; None where rows have no lines, as in Parquet.
    """

    path: Path
    cells: dict[str, list[str]]
    lines: list[int] | None = None

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
    if suffix not in (".csv", ".parquet"):
        raise CostTableError(f"a table must be a .csv or .parquet file (got {path})")
    if not path.is_file():
        raise CostTableError(f"the latency table does not exist: {path}")
    try:
        columns = _read_csv(path) if suffix == ".csv" else _read_parquet(path)
    except CostTableError:
        raise
    except (OSError, ValueError, csv.Error, pa.ArrowException) as error:
        not_text = suffix == ".csv" and isinstance(error, UnicodeDecodeError)
        reason = "it is not UTF-8; save it as 'CSV UTF-8'" if not_text else first_line(error, 150)
        raise CostTableError(f"{path} cannot be read as {suffix[1:]}: {reason}") from None
    return columns


def _read_csv(path: Path) -> Columns:
    # utf-8-sig: spreadsheets put a byte order mark in front of the first name.
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        header = [name.strip() for name in next(reader, [])]
        _check_header(path, header)
        if len(header) == 1 and ";" in header[0]:
            raise CostTableError(f"{path}: cells are separated by ';'; save it with commas, and points in its numbers")
        rows, lines = [], []
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                raise CostTableError(
                    f"{path}, line {reader.line_num}: a row needs {count_of(len(header), 'cell')}, as the header has"
                    f" (got {len(row)})"
                )
            rows.append(row)
            lines.append(reader.line_num)
    cells = {name: [row[index].strip() for row in rows] for index, name in enumerate(header)}
    return Columns(path, cells, lines)


def _read_parquet(path: Path) -> Columns:
    columns = read_parquet_texts(path)
    _check_header(path, [name for name, _ in columns])
    return Columns(path, {name: [cell.strip() for cell in cells] for name, cells in columns})


def _check_header(path: Path, names: list[str]) -> None:
    if not names or not any(names):
        raise CostTableError(f"{path} is empty; a table has a header and a row per architecture")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise CostTableError(f"{path}: the column {twice[0]!r} appears twice; rename one")

"""Reads CSV as programs of many countries write it: commas, semicolons or tabs, comment lines, empty columns."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from surrogate_nas._support.words import count_of
from surrogate_nas.errors import SurrogateNasError

_SEPARATORS = ",;\t"
_QUOTED = re.compile(r'"[^"]*"')
_EXCEL = re.compile(r"sep=([,;|\t])\s*")  # a first line that names the separator for Excel


@dataclass(frozen=True)
class CsvRows:
    """Rows of a CSV file.

    Attributes:
        header: Names of the columns, stripped of white space; of the last column without a name on, empty ones are left
            out where they are empty throughout.
        rows: Cells of every row, as many as the header has.
        lines: Line of the file that each row ended in.
        separator: The character between two cells.
    """

    header: list[str]
    rows: list[list[str]]
    lines: list[int]
    separator: str


def read_csv_rows(path: Path, error: type[SurrogateNasError]) -> CsvRows:
    """Reads the rows of a file, without blank lines and lines that begin with ``#``.

    Args:
        path: The file.
        error: What is raised for a row that does not fit.

    Raises:
        OSError, UnicodeDecodeError, csv.Error: If the file cannot be read as CSV.
        SurrogateNasError: The given error, if a row is longer or shorter than the header.
    """
    separator = _separator(path)
    header: list[str] = []
    rows: list[list[str]] = []
    lines: list[int] = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        # A quotation mark in a comment is none. Line numbers stay right.
        lines_read = ("\n" if _is_comment(line) else line for line in file)
        reader = csv.reader(lines_read, delimiter=separator, strict=True)
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if not header:
                # The line that names the separator comes before the header.
                header = [] if row[0] == "sep=" else [cell.strip() for cell in row]
                continue
            try:
                rows.append(_fitted(row, len(header), separator))
            except ValueError as fault:
                raise error(f"{path}, line {reader.line_num}: {fault}") from None
            lines.append(reader.line_num)
    named = len(header)
    while named and not header[named - 1] and not any(row[named - 1].strip() for row in rows):
        named -= 1
    return CsvRows(header[:named], [row[:named] for row in rows], lines, separator)


def _separator(path: Path) -> str:
    """Returns the separator that Excel's first line names, or else the most frequent one of the header."""
    with path.open(encoding="utf-8-sig") as file:
        first = next((line for line in file if line.strip() and not _is_comment(line)), "")
    named = _EXCEL.fullmatch(first)
    return named[1] if named else max(_SEPARATORS, key=_QUOTED.sub("", first).count)


def _is_comment(line: str) -> bool:
    """Returns whether a line is a comment; a cell ``#`` is the name of a column that counts rows."""
    text = line.lstrip()
    return text.startswith("#") and not text[1:].startswith(tuple(_SEPARATORS))


def _fitted(row: list[str], wanted: int, separator: str) -> list[str]:
    """Returns a row of the header's length; empty cells beyond it are left out."""
    if len(row) < wanted or any(cell.strip() for cell in row[wanted:]):
        remedy = "; write decimal points, or put ';' between cells" if separator == "," and len(row) > wanted else ""
        raise ValueError(f"a row needs {count_of(wanted, 'cell')}, as the header has (got {len(row)}){remedy}")
    return row[:wanted]

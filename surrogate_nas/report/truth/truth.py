"""Ground truth from a file: true accuracies of architectures, used by the report and by nothing else."""

import csv
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from surrogate_nas._support.stored.csv_rows import read_csv_rows
from surrogate_nas._support.stored.parquet_texts import read_parquet_texts
from surrogate_nas._support.words import choose_from, first_line, shown, some_of
from surrogate_nas.errors import SpaceError, TruthError
from surrogate_nas.space.space import Space

_NAMES = ("code", "arch")
_PERCENT = (0.0, 100.0)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)


@dataclass(frozen=True)
class Truth:
    """True accuracies of the architectures of a space.

    Attributes:
        file: Name of the file.
        column: Name of the column.
        accuracy_percent: In the order of ``space.all_codes()``, shape (size,); NaN where the file has none.
    """

    file: str
    column: str
    accuracy_percent: NDArray[np.float64]


@dataclass(frozen=True)
class _Table:
    """Cells as text, and for messages the line of each row in the file."""

    path: Path
    columns: dict[str, list[str]]
    lines: Sequence[int]


def read_truth(path: Path, space: Space, column: str | None = None) -> Truth:
    """Reads true accuracies from a table with a column ``code`` or ``arch`` and one accuracy column, in percent.

    Args:
        path: CSV in UTF-8 with a header, whose cells are separated by commas, semicolons or tabs; or Parquet (by the
            ending ``.parquet``). Empty cells are missing values.
        space: The space that the architectures belong to.
        column: Name of the accuracy column; may be left out where only one column is numeric.

    Raises:
        TruthError: If the file is missing or unreadable, names architectures of another space, names one twice, the
            column is unknown or not given where there are several, or an accuracy is not a percentage.
    """
    if not space.listable:
        raise TruthError(
            f"ground truth needs a space small enough to enumerate ({space.name} has {space.size:,} architectures)"
        )
    table = _read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
    if not set(_NAMES) & set(table.columns):
        raise TruthError(f"{path}: needs a column code or arch (has {some_of(table.columns) or 'no columns'})")
    if not table.lines:
        raise TruthError(f"{path}: holds no rows below its header")
    chosen = _accuracy_column(table, column)
    values = _percentages(table, chosen)
    positions = _positions(table, space)
    accuracy = np.full(space.size, np.nan)
    accuracy[positions] = values
    return Truth(path.name, chosen, accuracy)


def _read_csv(path: Path) -> _Table:
    try:
        held = read_csv_rows(path, TruthError)
    except FileNotFoundError:
        raise TruthError(f"the ground-truth file does not exist: {path}") from None
    except UnicodeDecodeError:
        raise TruthError(
            f"the ground-truth file cannot be read as CSV: {path}: it is not UTF-8; save it as 'CSV UTF-8'"
        ) from None
    except (OSError, csv.Error) as error:
        raise TruthError(f"the ground-truth file cannot be read as CSV: {path}: {first_line(error, 150)}") from None
    _check_names(path, held.header)
    columns = {name: [row[i].strip() for row in held.rows] for i, name in enumerate(held.header)}
    if held.separator != ",":
        columns = {name: [_with_point(cell) for cell in cells] for name, cells in columns.items()}
    return _Table(path, columns, held.lines)


def _with_point(cell: str) -> str:
    """Returns a number with a decimal comma, as spreadsheets of many countries write it, with a point."""
    return cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell


def _read_parquet(path: Path) -> _Table:
    try:
        columns = read_parquet_texts(path)
    except FileNotFoundError:
        raise TruthError(f"the ground-truth file does not exist: {path}") from None
    except (OSError, ValueError, pa.ArrowException) as error:
        reason = first_line(error, 150)
        raise TruthError(f"the ground-truth file cannot be read as Parquet: {path}: {reason}") from None
    _check_names(path, [name for name, _ in columns])
    return _Table(path, dict(columns), range(1, max((len(cells) for _, cells in columns), default=0) + 1))


def _check_names(path: Path, names: Sequence[str]) -> None:
    if len(set(names)) < len(names):
        raise TruthError(f"{path}: two columns have one name in the header {some_of(names)}")


def _number(text: str) -> float | None:
    """Returns the value of a cell; NaN where it is empty, None where it is not a number."""
    if not text:
        return math.nan
    try:
        return float(text)
    except ValueError:
        return None


def _accuracy_column(table: _Table, column: str | None) -> str:
    others = [name for name in table.columns if name not in _NAMES]
    if column is not None:
        if column not in others:
            raise TruthError(f"{table.path}: has no accuracy column {shown(column)}; {choose_from(others, column)}")
        return column
    numeric = [
        name
        for name in others
        if any(table.columns[name]) and all(_number(text) is not None for text in table.columns[name])
    ]
    if len(numeric) == 1:
        return numeric[0]
    if numeric:
        raise TruthError(f"{table.path}: set truth.column to the column of the true accuracy: {some_of(numeric)}")
    raise TruthError(f"{table.path}: no column is numeric (has {some_of(table.columns)})")


def _percentages(table: _Table, column: str) -> NDArray[np.float64]:
    values = np.full(len(table.lines), np.nan)
    for row, (line, text) in enumerate(zip(table.lines, table.columns[column], strict=True)):
        number = _number(text)
        if number is None or not (math.isnan(number) or _PERCENT[0] <= number <= _PERCENT[1]):
            raise TruthError(
                f"{table.path}, {_where(table, line)}: {column:.60} must be an accuracy in percent, 0 to 100 (got"
                f" {shown(text)})"
            )
        values[row] = number
    if np.isnan(values).all():
        raise TruthError(f"{table.path}: column {column} holds no number")
    if np.nanmax(values) <= 1:
        raise TruthError(
            f"{table.path}: column {column} must be in percent, 0 to 100 (its largest value is {np.nanmax(values):g},"
            " which looks like a fraction)"
        )
    return values


def _positions(table: _Table, space: Space) -> NDArray[np.int64]:
    """Returns the position of each row's architecture in ``space.all_codes()``, shape (rows,), all different."""
    given = {name: _parsed(table, name, space) for name in _NAMES if name in table.columns}
    first, *rest = given.values()
    for other in rest:
        # A space with its operations in another order has the same digits but other architectures.
        if (apart := np.flatnonzero(first != other)).size:
            row = int(apart[0])
            raise TruthError(
                f"{table.path}, {_where(table, table.lines[row])}: code and arch must name the same architecture of"
                f" {space.name} (got {shown(table.columns['code'][row])} and {shown(table.columns['arch'][row])})"
            )
    order = np.argsort(first, kind="stable")
    twice = np.flatnonzero(np.diff(first[order]) == 0)
    if twice.size:
        early, late = int(order[twice[0]]), int(order[twice[0] + 1])
        name = next(iter(given))
        raise TruthError(
            f"{table.path}, {_where(table, table.lines[late])}: every architecture may appear once"
            f" ({shown(table.columns[name][late])} was on {_where(table, table.lines[early])} before)"
        )
    return first


def _parsed(table: _Table, name: str, space: Space) -> NDArray[np.int64]:
    codes = np.empty((len(table.lines), space.num_decisions), dtype=np.int8)
    # A small file may say one thing hundreds of thousands of times.
    known: dict[str, NDArray[np.int8]] = {}
    for row, text in enumerate(table.columns[name]):
        try:
            if text not in known:
                known[text] = space.parse(text)
            codes[row] = known[text]
        except SpaceError as error:
            hint = ""
            if text.isdigit() and len(text) < space.num_decisions:
                hint = "; were leading zeros lost? Store the column as text"
            raise TruthError(
                f"{table.path}, {_where(table, table.lines[row])}: not an architecture of {space.name}: {error}{hint}"
            ) from None
    return space.index(codes)


def _where(table: _Table, line: int) -> str:
    return f"row {line}" if table.path.suffix == ".parquet" else f"line {line}"

"""Reads a column as numbers: with a decimal point, or with a decimal comma where cells are not separated by commas."""

import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.errors import CostTableError
from surrogate_nas.hardware.tables.text_columns import Columns

_POINT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?(\d+,?\d*|,\d+)([eE][+-]?\d+)?", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+", re.ASCII)  # 1,234 is a thousand in one country, and one in another

# As people and spreadsheets write them: 13,102.3 and 1.310,23 and 13 102,3 and 13'102.3.
_MARKED = re.compile(
    r"[+-]?(\d{1,3}(,\d{3})+(\.\d*)?|\d{1,3}(\.\d{3})+(,\d*)?|\d{1,3}([ '\u2019\u00a0\u202f]\d{3})+([.,]\d*)?)",
    re.ASCII,
)

Kind = tuple[str, str]
"""A number in words, and its unit: ``("a latency", "milliseconds")``."""

LATENCY: Kind = ("a latency", "milliseconds")
ENERGY: Kind = ("an energy", "millijoules")


def read_numbers(columns: Columns, name: str) -> NDArray[np.float64]:
    """Returns a column, shape (rows,); NaN for cells that are not numbers."""
    texts = columns.texts(name)
    if _has_decimal_commas(columns, name):
        return _parsed(texts, _COMMA, lambda text: text.replace(",", "."))
    return _parsed(texts, _POINT, str)


def is_like_number(text: str) -> bool:
    """Returns whether a cell is a number to people, with marks of thousands or another decimal mark perhaps."""
    return any(form.fullmatch(text) for form in (_POINT, _COMMA, _MARKED))


def fault_of(columns: Columns, name: str, row: int, value: float, kind: Kind) -> str | None:
    """Returns the place of a cell and why its number cannot be taken, with the remedy; None if it can."""
    if np.isfinite(value) and value > 0:
        return None
    text, (what, unit) = columns.texts(name)[row], kind
    mark = "comma, as other cells of the column" if _has_decimal_commas(columns, name) else "point"
    remedy = "correct it or measure that architecture again"
    if np.isnan(value) and is_like_number(text):
        remedy = "write it with that mark alone, and none of thousands"
    return (
        f"{columns.where(row, name)}: {what} must be a finite number of {unit} above zero, with a decimal {mark}"
        f" (got {repr(text) if text else 'an empty cell'}); {remedy}"
    )


def positive_numbers(columns: Columns, name: str, kind: Kind = LATENCY) -> NDArray[np.float64]:
    """Returns a column of numbers above zero, shape (rows,).

    Raises:
        CostTableError: If a cell is not such a number, or all latencies are equal.
    """
    values = read_numbers(columns, name)
    for row, value in enumerate(values.tolist()):
        fault = fault_of(columns, name, row, value, kind)
        if fault is not None:
            raise CostTableError(fault)
    if kind == LATENCY and len(values) > 1 and np.ptp(values) == 0:
        raise CostTableError(
            f"{columns.path}, column {name}: every architecture has {kind[0]} of {values[0]:g}, so no budget can tell"
            " them apart; use a measured column"
        )
    return values


def _has_decimal_commas(columns: Columns, name: str) -> bool:
    """Returns whether commas are decimal; between tabs they may also group thousands, as in '1,234'."""
    if columns.separator not in (";", "\t"):
        return False
    commas = [text for text in columns.texts(name) if "," in text]
    return bool(commas) and (columns.separator == ";" or not all(map(_GROUPED.fullmatch, commas)))


def _parsed(texts: list[str], form: re.Pattern[str], plain: Callable[[str], str]) -> NDArray[np.float64]:
    return np.array([float(plain(text)) if form.fullmatch(text) else np.nan for text in texts], dtype=np.float64)

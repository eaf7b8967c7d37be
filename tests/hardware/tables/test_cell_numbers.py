"""Numbers with points and commas."""

from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.hardware.tables.cell_numbers import LATENCY, fault_of, is_like_number, read_numbers
from surrogate_nas.hardware.tables.text_columns import Columns

NAN = float("nan")


@pytest.mark.parametrize(
    ("separator", "texts", "expected"),
    [
        (",", ["1.5", "1,5", "2e3", "x", ""], [1.5, NAN, 2000, NAN, NAN]),
        (None, ["1.5", "1,5"], [1.5, NAN]),
        (";", ["1,5", "3", "2,5e1", "-,5"], [1.5, 3, 25, -0.5]),
        (";", ["1.234,5", "1,5", "1.234"], [NAN, 1.5, NAN]),
        (";", ["1,234", "1.234"], [1.234, NAN]),
        ("\t", ["1,234", "1,5"], [1.234, 1.5]),
        ("\t", ["1,234", "12,345"], [NAN, NAN]),  # thousands, or decimals: nobody knows
        ("\t", ["1.5", "2"], [1.5, 2]),
    ],
)
def test_commas_are_decimal_where_they_cannot_be_anything_else(
    separator: str | None, texts: list[str], expected: list[float]
) -> None:
    columns = Columns(Path("t.csv"), {"a": texts}, separator=separator)
    np.testing.assert_array_equal(read_numbers(columns, "a"), expected)


def test_a_fault_names_the_mark_of_the_column() -> None:
    columns = Columns(Path("t.csv"), {"a": ["1,5", "2.5"]}, [2, 3], ";")
    assert fault_of(columns, "a", 0, 1.5, LATENCY) is None
    said = fault_of(columns, "a", 1, NAN, LATENCY)
    assert said is not None
    assert "t.csv, line 3, column a: a latency must be a finite number" in said
    assert "with a decimal comma, as other cells of the column (got '2.5')" in said


@pytest.mark.parametrize(
    "text", ["13,102.3", "13,102", "1.310,23", "1,5", "1.5", "-13'102.3", "13\u00a0102,3", "1 234 567", "2e3"]
)
def test_numbers_as_people_write_them_are_known_as_such(text: str) -> None:
    assert is_like_number(text)
    columns = Columns(Path("t.csv"), {"a": [text]}, [2], ",")
    said = fault_of(columns, "a", 0, NAN, LATENCY)
    assert said is not None
    assert said.endswith("write it with that mark alone, and none of thousands")


@pytest.mark.parametrize("text", ["", "fast", "27.11.2026", "2026-11-27", "1.20.1", "12ms", "1,23,4", "-"])
def test_dates_versions_and_texts_are_no_numbers(text: str) -> None:
    assert not is_like_number(text)

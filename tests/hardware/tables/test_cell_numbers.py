"""Numbers with points and commas."""

from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.hardware.tables.cell_numbers import LATENCY, fault_of, read_numbers
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

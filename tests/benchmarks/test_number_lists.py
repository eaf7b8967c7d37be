"""Lists of numbers of benchmarks' options."""

import re

import pytest

from benchmarks.number_lists import numbers
from surrogate_nas.errors import SettingsError


def test_numbers_are_read() -> None:
    assert numbers("--rows", "15, 1000", "15625") == [15, 1000]
    assert numbers("--sizes", "8x1x16", "8x1x16", "x") == [8, 1, 16]


@pytest.mark.parametrize(("text", "parts"), [("x", ","), ("", ","), ("0", ","), ("-1", ","), ("8x1", "x"), ("²", ",")])
def test_anything_else_is_one_line(text: str, parts: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(f"--sizes takes numbers such as 8x1x16 (got {text!r})")):
        numbers("--sizes", text, "8x1x16", parts)

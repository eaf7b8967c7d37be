"""Changed decisions against a comparison letter by letter."""

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surrogate_nas.errors import SettingsError
from surrogate_nas.lookup.neighbours import changed_decisions, nearest_rows

CODES = st.lists(st.text("01234", min_size=4, max_size=4), min_size=1, max_size=20)


@given(CODES, st.text("01234", min_size=4, max_size=4))
def test_changes_are_counted_and_sorted(codes: list[str], code: str) -> None:
    letters = np.array([list(one.encode()) for one in codes], dtype=np.uint8).T
    changes = changed_decisions(letters, code)
    assert changes.tolist() == [sum(a != b for a, b in zip(one, code, strict=True)) for one in codes]
    wanted = np.arange(len(codes)) % 2 == 0
    rows = list(nearest_rows(changes, wanted))
    assert rows == sorted(np.flatnonzero(wanted).tolist(), key=lambda row: (changes[row], row))
    assert list(nearest_rows(changes, wanted, most_changes=1)) == [row for row in rows if changes[row] <= 1]


def test_a_code_of_another_width_is_refused() -> None:
    with pytest.raises(SettingsError, match="has 2 digits"):
        changed_decisions(np.zeros((2, 3), dtype=np.uint8), "012")


@pytest.mark.parametrize("code", [12, b"12", None])
def test_a_code_that_is_no_text_is_refused(code: Any) -> None:  # noqa: ANN401 - as callers in Python may give it
    with pytest.raises(SettingsError, match=re.escape(f"is a text, in quotes (got {code!r})")):
        changed_decisions(np.zeros((2, 3), dtype=np.uint8), code)

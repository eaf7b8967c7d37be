"""Codes written as digits; ``test_space`` has them in a whole space."""

import re

import pytest

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.codes import DIGITS, Decision, read_digits

DECISIONS = (Decision("1.1", ("a", "b")), Decision("1.2", tuple(f"block {k}" for k in range(36))))


def test_a_character_stands_for_a_choice() -> None:
    assert [read_digits(f"1{digit}", "s", DECISIONS) for digit in DIGITS] == [[1, k] for k in range(36)]


def test_a_character_beyond_the_choices_is_named() -> None:
    message = "decision 1.1 of s has choices 0 to 1 (got '2' in '20')"
    with pytest.raises(SpaceError, match=re.escape(message)):
        read_digits("20", "s", DECISIONS)

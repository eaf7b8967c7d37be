"""Chains as text."""

import re

import pytest

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.codes import Decision
from surrogate_nas.space.kinds.chain.text import read_chain, write_chain

DECISIONS = [Decision(name, ("a", "b")) for name in ("1.1", "1.2", "2.1")]


def test_what_is_written_is_read() -> None:
    assert write_chain(["a", "b", "a"], [2, 1]) == "a|b+a"
    assert read_chain("a|b+a", "any", DECISIONS, [2, 1]) == [0, 1, 0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a|b|a", "an architecture of any is 3 digits or of the form BLOCK|BLOCK+BLOCK (got 'a|b|a')"),
        ("a|c+a", "unknown block 'c' in layer 1.2; choose from a, b"),
    ],
)
def test_other_texts_are_refused(text: str, message: str) -> None:
    with pytest.raises(SpaceError, match=re.escape(message)):
        read_chain(text, "any", DECISIONS, [2, 1])

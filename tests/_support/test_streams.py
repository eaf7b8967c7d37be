"""A stream that lacks a letter shows another."""

import io
import sys

import pytest

from surrogate_nas._support.streams import replace_unknown_letters


def test_letters_that_a_stream_lacks_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", io.StringIO())  # not every stream can be changed
    with pytest.raises(UnicodeEncodeError):
        print("±", flush=True)
    replace_unknown_letters()
    print("1 ± 2", "\u22120.5", "2 \u00d7 3", "\u2013", "\ud800", end="", flush=True)
    assert stream.buffer.getvalue() == b"1 ? 2 -0.5 2 x 3 - ?"

"""A stream that lacks a letter shows another, and no name steers a terminal."""

import io
import sys

import pytest

from surrogate_nas._support.streams import in_one_line, printable, replace_unknown_letters


def test_letters_that_a_stream_lacks_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", io.StringIO())  # not every stream can be changed
    with pytest.raises(UnicodeEncodeError):
        print("±", flush=True)
    replace_unknown_letters()
    print("1 ± 2", "\u22120.5", "2 \u00d7 3", "\u2013", "\ud800", end="", flush=True)
    assert stream.buffer.getvalue() == b"1 ? 2 -0.5 2 x 3 - ?"


def test_a_caller_gets_the_streams_back(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict")
    monkeypatch.setattr(sys, "stdout", stream)
    restore = replace_unknown_letters()
    assert stream.errors == "surrogate_nas.plain"
    restore()
    assert stream.errors == "strict"


@pytest.mark.parametrize(
    "name", ["\x1b[2J", "\x1b]0;x\x07", "\r", "\x9b2J", "\x00", "\x7f", "\u202egpj.exe", "\u2028", "\u2066"]
)
def test_nothing_that_steers_a_terminal_is_left(name: str) -> None:
    assert not any(sign in printable(f"a{name}b") for sign in "\x1b\x07\r\x9b\0\x7f\u202e\u2028\u2066")
    assert printable(f"a{name}b")[0] + printable(f"a{name}b")[-1] == "ab"


def test_letters_and_lines_are_kept() -> None:
    text = "95 % \N{PLUS-MINUS SIGN} 2\n\t\u624b\u673a \U0001f468\u200d\U0001f469"
    assert printable(text) == text
    assert "\n" not in in_one_line(text)

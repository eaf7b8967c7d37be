"""Text on standard output and standard error: of any encoding, and without anything that steers a terminal."""

import codecs
import io
import os
import re
import sys
from collections.abc import Callable

# Control characters but tab and line feed, and signs that hide, break or turn round what stands beside them.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_UNSHOWN = "\N{REPLACEMENT CHARACTER}"

# A number must not lose its sign.
_PLAIN = {"\u2212": "-", "\u2013": "-", "\u00d7": "x"}  # minus sign, en dash, multiplication sign
_HANDLER = "surrogate_nas.plain"


def _in_plain_letters(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_PLAIN.get(letter, "?") for letter in lacking), error.end


def printable(text: str) -> str:
    """Returns a text that only shows letters; its lines stay.

    A name in somebody else's file may hold sequences that clear the screen or write to the clipboard.
    """
    return _STEERING.sub(_UNSHOWN, text)


def in_one_line(text: str) -> str:
    """Returns a name or another text of one line, likewise; a break in it would make a false line of a result."""
    return printable(text).replace("\n", _UNSHOWN)


def replace_unknown_letters() -> Callable[[], None]:
    """Lets both streams show a plain letter or a '?' for one that they lack: no result and no study is lost for it.

    Such as '±' in a terminal of another code page, or the name of a class.

    Returns:
        A function that lets the streams do what they did before.
    """
    codecs.register_error(_HANDLER, _in_plain_letters)
    before = [(stream, stream.errors) for stream in (sys.stdout, sys.stderr) if isinstance(stream, io.TextIOWrapper)]
    for stream, _ in before:
        stream.reconfigure(errors=_HANDLER)

    def restore() -> None:
        for stream, errors in before:
            if not stream.closed:
                stream.reconfigure(errors=errors)

    return restore


def silence(descriptor: int) -> None:
    """Sends what is written to a file of the process nowhere, such as to a pipe whose reader is gone."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)

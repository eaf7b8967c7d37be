"""Standard output and standard error of any encoding."""

import codecs
import io
import sys

# A number must not lose its sign.
_PLAIN = {"\u2212": "-", "\u2013": "-", "\u00d7": "x"}  # minus sign, en dash, multiplication sign
_HANDLER = "surrogate_nas.plain"


def _in_plain_letters(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_PLAIN.get(letter, "?") for letter in lacking), error.end


def replace_unknown_letters() -> None:
    """Lets both streams show a plain letter or a '?' for one that they lack: no result and no study is lost for it.

    Such as '±' in a terminal of another code page, or the name of a class.
    """
    codecs.register_error(_HANDLER, _in_plain_letters)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)

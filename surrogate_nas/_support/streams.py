"""Standard output and standard error of any encoding."""

import io
import sys


def replace_unknown_letters() -> None:
    """Lets both streams show a '?' for a letter that they do not have: no result and no study is lost for it.

    Such as '±' in a terminal of another code page, or the name of a class.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")

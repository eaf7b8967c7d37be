"""Texts of C: strings and comments of any content, and templates of files that hold them."""

import json
import re

from jinja2 import Environment, StrictUndefined


def c_environment() -> Environment:
    """Returns templates of C files, with the filters ``string`` and ``comment``; a file ends in a new line.

    Some compilers warn of a file that does not.
    """
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False, keep_trailing_newline=True
    )
    environment.filters |= {"string": c_string, "comment": c_comment}
    return environment


def c_string(text: str) -> str:
    """Returns a C string of any text: JSON's escapes, with Unicode escapes as bytes of UTF-8 in octal."""
    quoted = json.dumps(text, ensure_ascii=False)
    # Octal ends after three digits where a hexadecimal escape would swallow what follows. '??' could begin a trigraph.
    octal = "".join(c if " " <= c <= "~" else "".join(f"\\{byte:03o}" for byte in c.encode()) for c in quoted)
    return re.sub(r"\\u00([0-9a-f]{2})", lambda match: f"\\{int(match[1], 16):03o}", octal).replace("??", "?\\?")


def c_comment(text: str) -> str:
    """Returns a text that cannot end a comment."""
    return " ".join(text.replace("*/", "* /").split())

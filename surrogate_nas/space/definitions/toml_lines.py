"""Finds the line of a key in a TOML file, for messages about the values read from it."""

import re

_HEADER = re.compile(r"\s*(\[\[?)\s*([\w.-]+)\s*\]")
_KEY = re.compile(r"\s*([\w.-]+)\s*=")


def line_of(text: str, key: str) -> int | None:
    """Returns the line of a key, from 1, or of the nearest table or list around it; ``None`` where there is neither.

    Args:
        text: Content of the file, valid TOML with a table or key to a line.
        key: Dotted, with numbers for places in lists, such as ``stages.1.width``.
    """
    wanted, prefix = key.split("."), list[str]()
    tables: dict[str, int] = {}
    found: tuple[int, int | None] = (0, None)
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            prefix = header[2].split(".")
            if header[1] == "[[":
                tables[header[2]] = tables.get(header[2], -1) + 1
                prefix.append(str(tables[header[2]]))
            place = prefix
        elif entry := _KEY.match(line):
            place = [*prefix, *entry[1].split(".")]
        else:
            continue
        if place == wanted[: len(place)] and len(place) > found[0]:
            found = len(place), number
    return found[1]

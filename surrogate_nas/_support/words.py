"""Words that several parts use: numbers of things, names to choose from, errors of others in one line."""

import difflib
from collections.abc import Iterable

_LISTED = 180
SHARED_WEIGHTS = "with shared weights"  # what predicted accuracies are of where no finalist was trained


def count_of(number: int, one: str, several: str | None = None) -> str:
    """Returns a number with its noun, such as ``1 image`` and ``1,200 images``.

    Args:
        number: How many.
        one: The noun of one thing.
        several: The noun of more or none; ``one`` with an s where it is None.
    """
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"


def choose_from(names: Iterable[str], given: str = "", letters: int = _LISTED) -> str:
    """Returns names to choose from as the end of a message; of many, the ones most like the name that was given.

    Args:
        names: All names.
        given: The name that is none of them.
        letters: Most letters of names.
    """
    known = list(names)
    if len(", ".join(known)) > letters:
        known.sort(key=lambda name: -difflib.SequenceMatcher(None, given[:50], name).ratio())
    return f"choose from {some_of(known, letters)}"


def some_of(names: Iterable[str], letters: int = _LISTED) -> str:
    """Returns names with commas; of many, the first ones and the number of the others.

    Args:
        names: All names.
        letters: Most letters of names.
    """
    known = list(names)
    if len(text := ", ".join(known)) <= letters:
        return text
    first: list[str] = []
    for name in known:
        if first and len(", ".join([*first, name])) > letters:
            break
        first.append(name[:letters])
    others = len(known) - len(first)
    return f"{', '.join(first)}{f' and {others:,} more' if others else ''}"


def shown(value: object, letters: int = 60) -> str:
    """Returns the beginning of a value as Python writes it."""
    text = repr(value)
    return text if len(text) <= letters else f"{text[:letters]}..."


def printable(text: str) -> str:
    """Returns a name of the file system with an escape for every byte that is no UTF-8, so that files can hold it."""
    return text.encode("utf-8", "backslashreplace").decode()


def first_line(error: BaseException, letters: int = 300) -> str:
    """Returns the first line of an error's text, or the name of its kind where it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:letters]


def one_line(error: BaseException, letters: int = 200) -> str:
    """Returns the beginning of an error's text as one line, or the name of its kind where it has none."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= letters else f"{text[:letters]}..."

"""Choosing by kind of space: every layer above keeps one table from kinds to what it does with them."""

from collections.abc import Mapping
from typing import TypeVar

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.space import Space

Entry = TypeVar("Entry")


def of_kind(table: Mapping[type[Space], Entry], space: Space, what: str) -> Entry:
    """The entry for the kind of a space.

    Args:
        table: One entry per class of spaces.
        space: A space of one of these classes.
        what: What the entries do, as it begins the message, such as ``"networks can be built"``.

    Raises:
        SpaceError: If there is no entry for the kind.
    """
    for kind in type(space).__mro__:
        if kind in table:
            return table[kind]
    known = ", ".join(kind.__name__ for kind in table)
    raise SpaceError(f"{what} for a space of kind {known} only (got {type(space).__name__})")

"""Choosing by kind of space."""

import re

import pytest

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.dispatch import of_kind
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Space


class Other(CellSpace):
    """A kind of its own, and a cell."""


def test_the_nearest_kind_counts() -> None:
    space = load_space("nasbench201")
    assert isinstance(space, CellSpace)
    other = Other(Identity("other", "0" * 16), space.edges, space.operations, space.network)
    table: dict[type[Space], str] = {CellSpace: "cell", Other: "other"}
    assert of_kind(table, space, "it works") == "cell"
    assert of_kind(table, other, "it works") == "other"
    assert of_kind({CellSpace: "cell"}, other, "it works") == "cell"


def test_a_kind_without_an_entry_is_refused() -> None:
    message = "it works for a space of kind Other only (got CellSpace)"
    with pytest.raises(SpaceError, match=re.escape(message)):
        of_kind({Other: 1}, load_space("nasbench201"), "it works")

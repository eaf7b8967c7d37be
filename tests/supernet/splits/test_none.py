"""The whole space is one subspace."""

from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.supernet.splits.boxes import whole_box
from surrogate_nas.supernet.splits.none import NoSplit, whole_space


def test_everything_that_is_connected_is_drawn(space: CellSpace) -> None:
    split = whole_space(space)
    assert split.names == ("whole space",)
    assert split.population() == (int(space.is_connected(space.all_codes()).sum()),)
    assert split.boxes == (whole_box(space),)
    assert not NoSplit.splits


def test_a_space_that_cannot_be_listed_is_counted() -> None:
    space = load_space("fbnet")
    assert whole_space(space).population() == (space.size,)

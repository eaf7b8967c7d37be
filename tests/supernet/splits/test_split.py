"""Partitions are splits; a parent whose children inherit nothing is refused."""

from collections.abc import Callable

import pytest
from pydantic import ValidationError

from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.supernet.splits.bands import BandSplit
from surrogate_nas.supernet.splits.boxes import Box, BoxSplit, whole_box
from surrogate_nas.supernet.splits.edge import edge_boxes
from surrogate_nas.supernet.splits.none import whole_space
from surrogate_nas.supernet.splits.split import Split
from surrogate_nas.supernet.splits.table import SPLITS
from surrogate_nas.testing.splits import SPLIT_CHECKS, SplitCheck

PARTITIONS: dict[str, Callable[[CellSpace], Split]] = {
    "none": whole_space,
    "two bands": lambda space: BandSplit(space, ((0, 1), (2, 3))),
    "bands out of order": lambda space: BandSplit(space, ((3, 0), (2,), (1,))),
    "every count": lambda space: BandSplit(space, ((0,), (1,), (2,), (3,))),
    "one box": lambda space: BoxSplit(space, [whole_box(space)]),
    "first edge": lambda space: BoxSplit(space, edge_boxes(space, None)),
    "last edge": lambda space: BoxSplit(space, edge_boxes(space, "3<-2")),
    "boxes of different depth": lambda space: BoxSplit(space, uneven(space)),
}


def uneven(space: CellSpace) -> list[Box]:
    """Returns a cut, of which one half is cut again at another edge."""
    every = tuple(range(5))
    return [
        ((0, 1, 4), *[every] * 5),
        ((2, 3), every, (0,), *[every] * 3),
        ((2, 3), every, (1, 2, 3, 4), *[every] * 3),
    ]


@pytest.fixture(params=PARTITIONS, scope="module")
def split(request: pytest.FixtureRequest, space: CellSpace) -> Split:
    return PARTITIONS[request.param](space)


@pytest.mark.parametrize("check", SPLIT_CHECKS, ids=lambda check: check.__name__)
def test_every_partition_is_a_split(space: CellSpace, split: Split, check: SplitCheck) -> None:
    check(space, split)


def test_names_of_boxes_say_what_is_left(space: CellSpace) -> None:
    assert BoxSplit(space, uneven(space)).names[1] == "nor_conv_1x1/nor_conv_3x3 on 1<-0; none on 2<-1"


def test_a_parent_that_nothing_is_taken_over_from_is_refused() -> None:
    for name, rule in SPLITS.items():
        if rule.splits and not rule.is_late:
            with pytest.raises(ValidationError, match=f"makes a parent of split = '{name}' useless"):
                SupernetSettings(split=name, parent_share=0.5, inherit="nothing")
            assert SupernetSettings(split=name, parent_share=0, inherit="nothing").inheritance == "nothing"

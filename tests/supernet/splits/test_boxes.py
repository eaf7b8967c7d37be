"""Boxes counted and drawn from; ``test_splits`` has them as subspaces."""

import numpy as np

from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.supernet.splits.boxes import box_name, box_population, draw_box, in_box, whole_box
from surrogate_nas.supernet.splits.edge import edge_boxes


def test_a_box_of_a_chain_is_counted_without_a_list() -> None:
    space = load_space("fbnet")
    box = whole_box(space)
    assert box_population(space, box) == 9**22
    assert box_population(space, ((0, 8), *box[1:])) == 2 * 9**21


def test_a_box_of_cells_holds_the_connected_ones(space: CellSpace) -> None:
    codes = space.all_codes()
    box = ((1, 3), *whole_box(space)[1:])
    assert box_population(space, box) == (space.is_connected(codes) & np.isin(codes[:, 0], [1, 3])).sum()


def test_draws_stay_in_the_box_and_reach_all_of_it() -> None:
    box = ((0, 2), (1,), (0, 1, 2))
    drawn = draw_box(box, 600, np.random.default_rng(0))
    assert in_box(drawn, box).all()
    _, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(counts) == 6
    assert counts.min() > 60


def test_a_name_says_what_is_left() -> None:
    space = load_space("quick")
    assert box_name(space, whole_box(space)) == "whole space"
    assert box_name(space, edge_boxes(space, "2.1")[0]) == "mbconv_k3_e1 on 2.1"

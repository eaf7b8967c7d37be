"""Boxes counted and drawn from; ``test_splits`` has them as subspaces."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from surrogate_nas.errors import SettingsError
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.supernet.splits.boxes import Box, BoxSplit, box_name, box_population, draw_box, in_box, whole_box
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
    drawn = draw_box(load_space("quick"), box, 600, np.random.default_rng(0))
    assert in_box(drawn, box).all()
    _, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(counts) == 6
    assert counts.min() > 60


def test_a_name_says_what_is_left() -> None:
    space = load_space("quick")
    assert box_name(space, whole_box(space)) == "whole space"
    assert box_name(space, edge_boxes(space, "2.1")[0]) == "mbconv_k3_e1 on 2.1"


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_any_tree_of_cuts_is_a_partition_that_agrees_with_going_through_it(
    triangle: CellSpace, data: st.DataObject
) -> None:
    boxes = [whole_box(triangle)]
    for _ in range(data.draw(st.integers(1, 3))):
        box = boxes.pop(data.draw(st.integers(0, len(boxes) - 1)))
        decision = data.draw(st.sampled_from([column for column in range(3) if len(box[column]) > 1]))
        size = data.draw(st.integers(1, len(box[decision]) - 1))
        for part in (box[decision][:size], box[decision][size:]):
            boxes.append((*box[:decision], part, *box[decision + 1 :]))
    codes = triangle.all_codes()
    expected = [
        next(k for k, box in enumerate(boxes) if all(map(lambda c, allowed: c in allowed, code, box)))
        for code in codes.tolist()
    ]
    connected = triangle.is_connected(codes)
    if len(set(np.array(expected)[connected].tolist())) < len(boxes):
        with pytest.raises(SettingsError, match="is empty: no network in it leads from input to output"):
            BoxSplit(triangle, boxes)
        return
    split = BoxSplit(triangle, boxes)
    assert split.assign(codes).tolist() == expected
    assert list(split.population()) == np.bincount(np.array(expected)[connected], minlength=len(boxes)).tolist()
    for k, box in enumerate(boxes):
        assert in_box(split.sample(k, 50, np.random.default_rng(0)), box).all()


@pytest.mark.parametrize("boxes", [[((0, 1),)], [((0, 1, 2),), ((2, 3),)]], ids=str)
def test_boxes_that_are_no_partition_are_refused(triangle: CellSpace, boxes: list[Box]) -> None:
    filled = [(*box, *whole_box(triangle)[1:]) for box in boxes]
    with pytest.raises(SettingsError, match="subspaces must hold every architecture of triangle exactly once"):
        BoxSplit(triangle, filled)


ELASTIC = load_space("quick_elastic")


@pytest.mark.parametrize(("column", "choices"), [(0, (1,)), (2, (0, 2)), (3, (2,)), (5, (1,)), (6, (0, 1))])
def test_boxes_of_elastic_depth_hold_networks(column: int, choices: tuple[int, ...]) -> None:
    codes = ELASTIC.all_codes()
    box = tuple(choices if at == column else allowed for at, allowed in enumerate(whole_box(ELASTIC)))
    networks = codes[ELASTIC.is_drawn(codes) & in_box(codes, box)]
    assert box_population(ELASTIC, box) == len(networks)
    assert box_population(ELASTIC, whole_box(ELASTIC)) == ELASTIC.is_drawn(codes).sum() == 392
    drawn = ELASTIC.index(draw_box(ELASTIC, box, 20 * len(networks), np.random.default_rng(0)))
    found, counts = np.unique(drawn, return_counts=True)
    assert found.tolist() == ELASTIC.index(networks).tolist()
    assert chisquare(counts).pvalue > 1e-3


@pytest.mark.parametrize("name", ["quick_elastic", "ofa_mobilenetv3"])
def test_a_sub_supernet_trains_the_networks_that_it_labels(name: str) -> None:
    space = load_space(name)
    last = space.elastic_runs[0][-1]
    split = BoxSplit(space, edge_boxes(space, space.decisions[last].name))
    assert sum(split.population()) == sum(space.counts.populations().values())
    for group in range(split.groups):
        drawn = split.sample(group, 200, np.random.default_rng(0))
        assert space.is_drawn(drawn).all()
        assert (split.assign(drawn) == group).all()

"""Splits against enumeration: every code in one subspace, draws uniform and never of a network that is cut."""

import itertools
import re
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from surrogate_nas.errors import SettingsError
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.supernet.splits.bands import BandSplit, equal_bands
from surrogate_nas.supernet.splits.boxes import Box, BoxSplit, in_box, whole_box
from surrogate_nas.supernet.splits.edge import edge_boxes
from surrogate_nas.supernet.splits.none import whole_space
from surrogate_nas.supernet.splits.split import Split

SPLITS: dict[str, Callable[[CellSpace], Split]] = {
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
    """A cut, of which one half is cut again at another edge."""
    every = tuple(range(5))
    return [
        ((0, 1, 4), *[every] * 5),
        ((2, 3), every, (0,), *[every] * 3),
        ((2, 3), every, (1, 2, 3, 4), *[every] * 3),
    ]


@pytest.fixture(params=SPLITS, scope="module")
def split(request: pytest.FixtureRequest, space: CellSpace) -> Split:
    return SPLITS[request.param](space)


class TestEverySplit:
    def test_every_code_is_in_one_of_the_named_subspaces(self, space: CellSpace, split: Split) -> None:
        groups = split.assign(space.all_codes())
        assert groups.shape == (space.size,)
        assert set(groups.tolist()) == set(range(split.groups)) == set(range(len(split.names)))

    def test_assignment_is_of_the_code_alone(self, space: CellSpace, split: Split) -> None:
        order = np.random.default_rng(0).permutation(space.size)[:200]
        assert (split.assign(space.all_codes()[order]) == split.assign(space.all_codes())[order]).all()

    def test_population_counts_what_can_be_drawn(self, space: CellSpace, split: Split) -> None:
        connected = space.all_codes()[space.is_connected(space.all_codes())]
        assert list(split.population()) == np.bincount(split.assign(connected), minlength=split.groups).tolist()

    def test_draws_stay_in_the_subspace_and_are_connected(self, space: CellSpace, split: Split) -> None:
        rng = np.random.default_rng(1)
        for group in range(split.groups):
            drawn = split.sample(group, 500, rng)
            assert drawn.shape == (500, space.num_decisions)
            assert drawn.dtype == np.int8
            assert (split.assign(drawn) == group).all()
            assert space.is_connected(drawn).all()

    def test_draws_are_uniform_within_the_subspace(self, space: CellSpace, split: Split) -> None:
        rng = np.random.default_rng(2)
        codes = space.all_codes()
        connected = space.is_connected(codes)
        for group in range(split.groups):
            members = np.flatnonzero((split.assign(codes) == group) & connected)
            drawn = space.index(split.sample(group, 20 * len(members), rng))
            frequencies = np.bincount(drawn, minlength=space.size)[members]
            assert frequencies.sum() == 20 * len(members)
            assert chisquare(frequencies).pvalue > 1e-3

    def test_draws_repeat_with_the_generator(self, split: Split) -> None:
        first, second = (split.sample(0, 50, np.random.default_rng(3)) for _ in range(2))
        assert (first == second).all()

    def test_no_draws_are_an_empty_array(self, space: CellSpace, split: Split) -> None:
        assert split.sample(0, 0, np.random.default_rng(0)).shape == (0, space.num_decisions)


@pytest.mark.parametrize(
    "bands", [((0, 1), (2, 3)), ((3, 0), (2,), (1,)), ((0,), (1,), (2,), (3,)), ((0, 1, 2, 3),)], ids=str
)
def test_a_band_holds_the_counts_it_names(space: CellSpace, bands: tuple[tuple[int, ...], ...]) -> None:
    split = BandSplit(space, bands)
    counts = space.nonlinear_count(space.all_codes())
    for count, group in zip(counts.tolist(), split.assign(space.all_codes()).tolist(), strict=True):
        assert count in bands[group]
    assert split.names == tuple(f"{'/'.join(map(str, band))} nonlinear" for band in bands)


def test_populations_are_those_of_the_paper(space: CellSpace) -> None:
    split = BandSplit(space, ((0,), (1,), (2,), (3,)))
    assert np.bincount(split.assign(space.all_codes())).tolist() == [1983, 7122, 5520, 1000]  # arXiv 2412.14678


@pytest.mark.parametrize(
    "bands",
    [
        [],
        [[0, 1, 2]],
        [[0, 1], [1, 2, 3]],
        [[0, 1, 2, 3], []],
        [[0, 1], [2, 3, 4]],
        [[0, 0], [1, 2, 3]],
        [[-1, 0, 1, 2]],
    ],
    ids=str,
)
def test_bands_that_are_no_partition_are_named(space: CellSpace, bands: Sequence[Sequence[int]]) -> None:
    rule = "supernet.bands must hold each nonlinear count of nasbench201 (0, 1, 2, 3) exactly once, with no empty band"
    with pytest.raises(SettingsError, match=re.escape(f"{rule} (got {bands})")):
        BandSplit(space, bands)


@pytest.mark.parametrize("groups", [1, 2, 3, 4])
def test_equal_bands_agree_with_trying_every_cut(space: CellSpace, triangle: CellSpace, groups: int) -> None:
    for each in (space, triangle):
        codes = each.all_codes()
        counts = each.nonlinear_count(codes[each.is_connected(codes)])
        number = counts.max() + 1
        if groups > number:
            continue
        bands = equal_bands(each, groups)
        assert [count for band in bands for count in band] == list(range(number))
        assert len(bands) == groups

        def largest(starts: Sequence[int], counts: np.ndarray = counts, number: int = number) -> int:
            edges = [0, *starts, number]
            return max(int(((counts >= a) & (counts < b)).sum()) for a, b in itertools.pairwise(edges))

        possible = list(itertools.combinations(range(1, number), groups - 1))
        assert largest([band[0] for band in bands[1:]]) == min(map(largest, possible))
        assert BandSplit(each, bands).groups == groups


def test_more_groups_than_counts_are_refused(space: CellSpace) -> None:
    with pytest.raises(SettingsError, match=re.escape("supernet.groups must be at most 4, how many")):
        equal_bands(space, 5)


def test_a_count_that_only_cut_networks_have_belongs_to_a_band() -> None:
    # Every path has one or two convolutions; 0 is the count of networks that are cut.
    chain = CellSpace(
        Identity("chain", "1" * 16), ((0, 1), (0, 2), (1, 2)), ("none", "nor_conv_3x3"), NetworkSpec(2, 1, 8)
    )
    assert equal_bands(chain, 2) == ((0, 1), (2,))
    assert BandSplit(chain, equal_bands(chain, 2)).population() == (3, 2)
    with pytest.raises(SettingsError, match="the subspace '0 nonlinear' of chain is empty"):
        BandSplit(chain, [[0], [1, 2]])


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(4)), st.sets(st.integers(1, 3)))
def test_any_partition_of_the_counts_is_accepted(space: CellSpace, order: list[int], cuts: set[int]) -> None:
    bands = [part.tolist() for part in np.split(np.array(order), sorted(cuts))]
    split = BandSplit(space, bands)
    assert split.groups == len(cuts) + 1
    assert sum(split.population()) == space.is_connected(space.all_codes()).sum()


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


def test_groups_of_an_edge_are_its_operations(space: CellSpace) -> None:
    split = BoxSplit(space, edge_boxes(space, "2<-1"))
    assert split.names == tuple(f"{operation} on 2<-1" for operation in space.operations)
    assert (split.assign(space.all_codes()) == space.all_codes()[:, 2]).all()
    assert BoxSplit(space, uneven(space)).names[1] == "nor_conv_1x1/nor_conv_3x3 on 1<-0; none on 2<-1"


def test_an_edge_that_is_not_there_is_named(space: CellSpace) -> None:
    expected = "supernet.split_edge must be one of 1<-0, 2<-0, 2<-1, 3<-0, 3<-1, 3<-2 (got '0<-1')"
    with pytest.raises(SettingsError, match=re.escape(expected)):
        edge_boxes(space, "0<-1")


def test_a_group_that_only_cut_networks_have_is_refused() -> None:
    chain = CellSpace(Identity("chain", "1" * 16), ((0, 1), (1, 2)), ("none", "nor_conv_3x3"), NetworkSpec(2, 1, 8))
    with pytest.raises(SettingsError, match="the subspace 'none on 1<-0' of chain is empty"):
        BoxSplit(chain, edge_boxes(chain, None))


@pytest.mark.parametrize("boxes", [[((0, 1),)], [((0, 1, 2),), ((2, 3),)]], ids=str)
def test_boxes_that_are_no_partition_are_refused(triangle: CellSpace, boxes: list[Box]) -> None:
    filled = [(*box, *whole_box(triangle)[1:]) for box in boxes]
    with pytest.raises(SettingsError, match="subspaces must hold every architecture of triangle exactly once"):
        BoxSplit(triangle, filled)

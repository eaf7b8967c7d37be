"""Bands of counts are a partition of them, and as even as any."""

import re
from collections.abc import Iterable, Sequence
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surrogate_nas.errors import SettingsError
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.supernet.splits.bands import BandSplit, equal_bands, even_cuts, occurring_counts


@given(st.lists(st.integers(1, 20), min_size=1, max_size=8), st.data())
def test_cuts_are_the_first_of_the_best(parts: list[int], data: st.DataObject) -> None:
    groups = data.draw(st.integers(1, len(parts)))

    def squares(cuts: Iterable[int]) -> int:
        ends = (0, *cuts, len(parts))
        return sum(sum(parts[start:end]) ** 2 for start, end in pairwise(ends))

    every = list(combinations(range(1, len(parts)), groups - 1))
    assert even_cuts(parts, groups) == list(min(every, key=squares))


@pytest.mark.parametrize(("name", "groups"), [("ofa_mobilenetv3", 4), ("mobilenet", 6), ("fbnet", 6), ("images32", 4)])
def test_no_band_is_nearly_empty(name: str, groups: int) -> None:
    """The largest band alone would leave the first ones with one architecture in a billion."""
    space = load_space(name)
    populations, bands = space.counts.populations(), equal_bands(space, groups)
    total = sum(populations.values())
    assert min(sum(populations.get(count, 0) for count in band) for band in bands) > 0.2 * total / groups


def test_bands_of_a_space_that_cannot_be_listed() -> None:
    space = load_space("fbnet")
    populations, bands = space.counts.populations(), equal_bands(space, 4)
    assert [count for band in bands for count in band] == occurring_counts(space) == list(range(0, 45, 2))
    assert max(sum(populations[count] for count in band) for band in bands) < 0.35 * space.size


def test_more_bands_than_counts_are_refused() -> None:
    with pytest.raises(SettingsError, match="must be at most 8, the number of nonlinear counts of quick"):
        equal_bands(load_space("quick"), 9)


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
            return max(int(((counts >= a) & (counts < b)).sum()) for a, b in pairwise(edges))

        possible = list(combinations(range(1, number), groups - 1))
        assert largest([band[0] for band in bands[1:]]) == min(map(largest, possible))
        assert BandSplit(each, bands).groups == groups


def test_more_groups_than_counts_are_refused(space: CellSpace) -> None:
    with pytest.raises(SettingsError, match=re.escape("supernet.groups must be at most 4, the number")):
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

"""Bands of counts; ``test_splits`` compares them with trying every cut."""

from collections.abc import Iterable
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surrogate_nas.errors import SettingsError
from surrogate_nas.space.load import load_space
from surrogate_nas.supernet.splits.bands import equal_bands, even_cuts, occurring_counts


@given(st.lists(st.integers(1, 20), min_size=1, max_size=8), st.data())
def test_cuts_are_the_first_of_the_best(parts: list[int], data: st.DataObject) -> None:
    groups = data.draw(st.integers(1, len(parts)))

    def largest(cuts: Iterable[int]) -> int:
        ends = (0, *cuts, len(parts))
        return max(sum(parts[start:end]) for start, end in pairwise(ends))

    every = list(combinations(range(1, len(parts)), groups - 1))
    assert even_cuts(parts, groups) == list(min(every, key=largest))


def test_bands_of_a_space_that_cannot_be_listed() -> None:
    space = load_space("fbnet")
    populations, bands = space.counts.populations(), equal_bands(space, 4)
    assert [count for band in bands for count in band] == occurring_counts(space) == list(range(0, 45, 2))
    assert max(sum(populations[count] for count in band) for band in bands) < 0.35 * space.size


def test_more_bands_than_counts_are_refused() -> None:
    with pytest.raises(SettingsError, match="must be at most 8, how many nonlinear counts quick has"):
        equal_bands(load_space("quick"), 9)

"""Architectures are drawn uniformly, or evenly over counts of nonlinear functions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surrogate_nas.space.load import load_space
from surrogate_nas.study.problem.draws import draw, in_turns

CHAIN = load_space("images32")
CELLS = load_space("nasbench201")


@pytest.mark.parametrize("name", ["images32", "nasbench201", "nasbench_macro"])
def test_balanced_draws_have_every_count_equally_often(name: str) -> None:
    space = load_space(name)
    codes = draw(space, 5000, "balanced", np.random.default_rng(0))
    assert space.is_connected(codes).all()
    np.testing.assert_array_equal(codes, space.effective(codes))
    counts, each = np.unique(space.nonlinear_count(codes), return_counts=True)
    assert counts.tolist() == list(space.counts.populations())
    assert len(set(each.tolist())) == 1
    assert 5000 <= len(codes) < 5000 + len(counts)


def test_uniform_draws_are_of_connected_architectures_and_nearly_all_of_them_deep() -> None:
    codes = draw(CHAIN, 5000, "uniform", np.random.default_rng(0))
    assert len(codes) == 5000
    counts = CHAIN.nonlinear_count(codes)
    assert (counts > 18).mean() > 0.95  # of 3 to 45
    cells = draw(CELLS, 5000, "uniform", np.random.default_rng(0))
    assert CELLS.is_connected(cells).all()
    assert 4000 < len(cells) < 5000  # others are cut from input to output


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 400), st.integers(0, 400), st.integers(0, 2**32))
def test_turns_are_as_even_as_the_counts_allow(size: int, part: int, seed: int) -> None:
    codes = CHAIN.sample(size, np.random.default_rng(seed))
    ordered = in_turns(CHAIN, codes, "balanced")
    assert sorted(map(bytes, ordered)) == sorted(map(bytes, codes))
    first = CHAIN.nonlinear_count(ordered[:part])
    rest = CHAIN.nonlinear_count(ordered[part:])
    taken = {count: int((first == count).sum()) for count in CHAIN.nonlinear_count(codes).tolist()}
    for count, number in taken.items():
        if (rest == count).any():  # others may have at most one more
            assert max(taken.values()) <= number + 1


def test_uniform_draws_stay_in_their_order() -> None:
    codes = CHAIN.sample(50, np.random.default_rng(0))
    np.testing.assert_array_equal(in_turns(CHAIN, codes, "uniform"), codes)

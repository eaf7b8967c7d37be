"""Variations of architectures: valid, from close to far, and equal for one seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Space
from surrogate_nas.space.variations import varied

SPACES = [load_space(name) for name in ("nasbench201", "nasbench_macro", "images32")]


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(SPACES), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_variations_are_effective_connected_architectures(space: Space, parents: int, seed: int) -> None:
    chosen = space.effective(space.sample(parents, np.random.default_rng(seed)))
    codes = varied(space, chosen, 200, np.random.default_rng(seed))
    assert codes.dtype == np.int8
    space.check(codes)
    assert space.is_connected(codes).all()
    np.testing.assert_array_equal(codes, space.effective(codes))
    np.testing.assert_array_equal(codes, varied(space, chosen, 200, np.random.default_rng(seed)))


@pytest.mark.parametrize("space", SPACES, ids=lambda space: str(space.name))
def test_variations_reach_from_a_parent_to_the_whole_space(space: Space) -> None:
    parent = space.effective(space.sample(50, np.random.default_rng(3)))
    parent = parent[space.is_connected(parent)][:1]
    codes = varied(space, parent, 20_000, np.random.default_rng(0))
    for column, decision in enumerate(space.decisions):
        assert set(codes[:, column].tolist()) == set(range(len(decision.choices))), decision.name
    changed = (codes != parent).sum(axis=1)
    assert np.bincount(changed)[:3].all()
    assert changed.max() >= space.num_decisions - 1


def test_each_parent_has_as_many_children() -> None:
    space = SPACES[2]
    parents = np.stack([space.known["ResNet-20 at width 1"], space.known["ResNet-14 at width 2"]])
    codes = varied(space, parents, 10_000, np.random.default_rng(0))
    near = [(codes != parent).sum(axis=1) <= 3 for parent in parents]
    assert not (near[0] & near[1]).any()
    assert 0.85 < near[0].sum() / near[1].sum() < 1.2

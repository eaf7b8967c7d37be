"""Pools: rows by code, whatever the size of the space."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.pool import Pool, draw, drawn_pool, in_turns, varied, whole_pool
from surrogate_nas.space.space import Codes, Space

NB201 = load_space("nasbench201")
IMAGES32 = load_space("images32")


def five_nodes() -> CellSpace:
    """Returns a space of 9,765,625 architectures: too many to enumerate."""
    assert isinstance(NB201, CellSpace)
    edges = [(start, end) for end in range(1, 5) for start in range(end)]
    return CellSpace(Identity("five_nodes", "0" * 16), edges, NB201.operations, NB201.network)


def part(codes: Codes) -> Pool:
    return Pool(NB201, codes, complete=False, uniform=len(codes))


def test_a_whole_space_is_in_listing_order() -> None:
    pool = whole_pool(NB201)
    assert len(pool) == pool.uniform == NB201.size
    assert pool.complete
    np.testing.assert_array_equal(pool.find(NB201.all_codes()[::7]), np.arange(0, NB201.size, 7))
    np.testing.assert_array_equal(pool.codes[pool.representatives], NB201.canonical(pool.codes))


@given(st.lists(st.integers(0, NB201.size - 1), unique=True, max_size=40), st.lists(st.integers(0, NB201.size - 1)))
def test_rows_are_those_of_a_plain_search(places: list[int], asked: list[int]) -> None:
    pool = part(NB201.codes_at(np.array(places, dtype=np.int64)))
    expected = [places.index(place) if place in places else -1 for place in asked]
    assert pool.find(NB201.codes_at(np.array(asked, dtype=np.int64))).tolist() == expected


def test_a_pool_grows_at_its_end_and_by_what_is_new() -> None:
    codes = NB201.all_codes()
    pool = part(codes[[5, 900, 3]])
    grown = pool.extended(codes[[7, 900, 7, 15_000]])
    np.testing.assert_array_equal(grown.codes, codes[[5, 900, 3, 7, 15_000]])
    assert grown.uniform == 3
    assert not grown.complete
    assert grown.extended(codes[[15_000]]) is grown
    assert whole_pool(NB201).extended(codes[:4]).complete


def test_what_is_not_listed_is_named() -> None:
    with pytest.raises(SpaceError, match="architecture 000001 is not among the 1 that the study holds of nasbench201"):
        part(NB201.all_codes()[:1]).rows(NB201.all_codes()[:2])


def test_draws_of_a_large_space_are_different_connected_and_begin_alike() -> None:
    space = five_nodes()
    pool = drawn_pool(space, 3000, np.random.default_rng(1))
    assert len(np.unique(pool.codes, axis=0)) == len(pool) == pool.uniform == 3000
    assert space.is_connected(pool.codes).all()
    fewer = drawn_pool(space, 1000, np.random.default_rng(1))
    np.testing.assert_array_equal(fewer.codes, pool.codes[:1000])
    keys = space.canonical_keys(pool.codes)
    assert (keys[pool.representatives] == keys).all()


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
    codes = draw(IMAGES32, 5000, "uniform", np.random.default_rng(0))
    assert len(codes) == 5000
    counts = IMAGES32.nonlinear_count(codes)
    assert (counts > 18).mean() > 0.95  # of 3 to 45
    cells = draw(NB201, 5000, "uniform", np.random.default_rng(0))
    assert NB201.is_connected(cells).all()
    assert 4000 < len(cells) < 5000  # others are cut from input to output


@pytest.mark.slow
@given(st.integers(0, 400), st.integers(0, 400), st.integers(0, 2**32))
def test_turns_are_as_even_as_the_counts_allow(size: int, part: int, seed: int) -> None:
    codes = IMAGES32.sample(size, np.random.default_rng(seed))
    ordered = in_turns(IMAGES32, codes, "balanced")
    assert sorted(map(bytes, ordered)) == sorted(map(bytes, codes))
    first = IMAGES32.nonlinear_count(ordered[:part])
    rest = IMAGES32.nonlinear_count(ordered[part:])
    taken = {count: int((first == count).sum()) for count in IMAGES32.nonlinear_count(codes).tolist()}
    for count, number in taken.items():
        if (rest == count).any():  # others may have at most one more
            assert max(taken.values()) <= number + 1


def test_uniform_draws_stay_in_their_order() -> None:
    codes = IMAGES32.sample(50, np.random.default_rng(0))
    np.testing.assert_array_equal(in_turns(IMAGES32, codes, "uniform"), codes)


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
def test_variations_draw_any_third_of_the_decisions_again(space: Space) -> None:
    parent = space.effective(space.sample(50, np.random.default_rng(3)))
    parent = parent[space.is_connected(parent)][:1]
    codes = varied(space, parent, 20_000, np.random.default_rng(0))
    assert (codes != parent).any(axis=0).sum() >= space.num_decisions - 1
    changed = (codes != parent).sum(axis=1)
    assert np.bincount(changed)[:3].all()
    most = -(-space.num_decisions // 3)
    assert np.median(changed) <= most  # a stage that ends early changes decisions behind its end


def test_each_parent_has_as_many_children() -> None:
    space = SPACES[2]
    parents = np.stack([space.known["ResNet-20 at width 1"], space.known["ResNet-14 at width 2"]])
    codes = varied(space, parents, 10_000, np.random.default_rng(0))
    near = [(codes != parent).sum(axis=1) <= 2 for parent in parents]
    assert not (near[0] & near[1]).any()
    assert 0.85 < near[0].sum() / near[1].sum() < 1.2


def test_varied_draws_are_near_architectures_with_a_name() -> None:
    space = SPACES[2]
    codes = draw(space, 2_000, "varied", np.random.default_rng(0))
    known = space.effective(np.stack(list(space.known.values())))
    changed = (codes[:, None] != known[None]).sum(axis=2).min(axis=1)
    most = -(-space.num_decisions // 3)
    # A stage that ends early makes the decisions behind its end one and the same.
    assert np.median(changed) <= most
    assert len(np.unique(changed)) > 4
    assert in_turns(space, codes, "varied") is codes
    with pytest.raises(SpaceError, match="nasbench201 has no architectures with a name"):
        draw(load_space("nasbench201"), 10, "varied", np.random.default_rng(0))

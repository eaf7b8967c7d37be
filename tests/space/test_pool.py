"""Pools: rows by code, whatever the size of the space."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.pool import Pool, drawn_pool, whole_pool
from surrogate_nas.space.space import Codes

NB201 = load_space("nasbench201")


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

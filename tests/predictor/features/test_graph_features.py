"""Counts of paths against enumeration by hand, and their blindness to what makes no difference."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from surrogate_nas.predictor.features.graph_features import (
    longest_path,
    node_types,
    one_hot,
    pairs_of_decisions,
    path_features,
)
from surrogate_nas.space.space import Space

# Edges 1<-0, 2<-0, 2<-1, 3<-0, 3<-1, 3<-2; choices none, skip, conv1x1, conv3x3, pool.
CONV3_THEN_SKIP = np.array([[3, 0, 0, 0, 1, 0]], dtype=np.int8)
CONV3_THEN_CONV1 = np.array([[3, 0, 0, 0, 2, 0]], dtype=np.int8)


@given(seed=st.integers(0, 1000))
def test_isomorphic_cells_have_the_same_path_features(space: Space, seed: int) -> None:
    codes = space.sample(50, np.random.default_rng(seed))
    assert np.array_equal(path_features(space, codes), path_features(space, space.canonical(codes)))


@given(seed=st.integers(0, 1000))
def test_the_longest_nonlinear_path_is_the_one_that_the_space_counts(space: Space, seed: int) -> None:
    codes = space.sample(50, np.random.default_rng(seed))
    assert np.array_equal(path_features(space, codes)[:, -3].astype(int), space.nonlinear_count(codes))


def test_only_convolutions_widen_what_a_pixel_sees(space: Space) -> None:
    types = node_types(space)
    assert types.reach.tolist() == [0, 0, 0, 0, 0, 0, 1, 0]
    assert types.is_identity.tolist() == [False] * 4 + [True] + [False] * 3


def test_identities_are_contracted(space: Space) -> None:
    types = 8
    row = path_features(space, CONV3_THEN_SKIP)[0]
    one_step = row[types : types + types**2].reshape(types, types)
    assert np.argwhere(one_step).tolist() == [[1, 6], [6, 2]]  # input to conv3x3, conv3x3 to output
    assert row[-3:].tolist() == [1, 1, 3]  # nonlinear, reach, nodes that compute


def test_two_steps_are_counted(space: Space) -> None:
    types = 8
    row = path_features(space, CONV3_THEN_CONV1)[0]
    two_steps = row[types + types**2 : types + 2 * types**2].reshape(types, types)
    assert np.argwhere(two_steps).tolist() == [[1, 5], [6, 2]]


@given(seed=st.integers(0, 1000))
def test_the_longest_path_is_that_of_an_enumeration(seed: int) -> None:
    rng = np.random.default_rng(seed)
    adjacency = np.triu(rng.random((1, 5, 5)) < 0.5, k=1).astype(float)
    values = rng.integers(0, 4, (1, 5)).astype(float)
    found = [0.0]
    for length in range(4):
        for middle in itertools.combinations((1, 2, 3), length):
            path = (0, *middle, 4)
            if all(adjacency[0, u, v] for u, v in itertools.pairwise(path)):
                found.append(values[0, list(path)].sum())
    assert longest_path(adjacency, values)[0] == max(found)


def test_one_hot_has_one_column_per_choice(space: Space) -> None:
    assert np.flatnonzero(one_hot(space, CONV3_THEN_SKIP)[0]).tolist() == [3, 5, 10, 15, 21, 25]


def test_pairs_are_products_of_columns_of_different_decisions(space: Space) -> None:
    columns = pairs_of_decisions(space, CONV3_THEN_SKIP)
    assert columns.shape == (1, 30 + 15 * 25)
    assert columns[0, 30:].sum() == 15


def test_no_codes_have_no_rows(space: Space) -> None:
    assert path_features(space, CONV3_THEN_SKIP[:0]).shape == (0, path_features(space, CONV3_THEN_SKIP).shape[1])

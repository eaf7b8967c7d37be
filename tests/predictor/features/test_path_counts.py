"""Sums along paths against a listing of the paths."""

import itertools

import numpy as np

from surrogate_nas.predictor.features.path_counts import path_sums
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Space

# Edges 1<-0, 2<-0, 2<-1, 3<-0, 3<-1, 3<-2, and the edges of each path from input to output.
PATHS = ((3,), (0, 4), (1, 5), (0, 2, 5))
NONE, SKIP, CONV1, CONV3, POOL = range(5)


def listed(code: np.ndarray) -> list[list[float]]:
    """Returns for each connected path the number of 1x1, 3x3, pools, nonlinear functions and operations."""
    rows = []
    for path in PATHS:
        operations = [int(code[edge]) for edge in path]
        if NONE in operations:
            continue
        ones, threes, pools = (operations.count(kind) for kind in (CONV1, CONV3, POOL))
        rows.append([float(value) for value in (ones, threes, pools, ones + threes, ones + threes + pools)])
    return rows


def test_sums_are_those_of_the_listed_paths(space: Space) -> None:
    codes = space.sample(300, np.random.default_rng(0))
    found = path_sums(space, codes)
    for row, code in enumerate(codes):
        paths = np.array(listed(code)).reshape(-1, 5)
        assert found.paths[row] == len(paths)
        assert found.shortcuts[row] == (paths[:, -1] == 0).sum()
        if len(paths):
            assert np.array_equal(found.longest[row], paths.max(axis=0))
            assert np.array_equal(found.shortest[row], paths.min(axis=0))
            assert np.allclose(found.mean[row], paths.mean(axis=0))
        else:
            assert not found.columns()[row].any()


def test_isomorphic_cells_have_equal_sums(space: Space) -> None:
    codes = space.sample(500, np.random.default_rng(1))
    assert np.array_equal(path_sums(space, codes).columns(), path_sums(space, space.canonical(codes)).columns())


def test_batches_change_nothing_and_no_codes_give_no_rows() -> None:
    space = load_space("nasbench201")
    codes = np.array(list(itertools.product(range(5), repeat=6)), dtype=np.int8)[:5000]
    whole = path_sums(space, codes).columns()
    assert np.array_equal(whole[4000:4200], path_sums(space, codes[4000:4200]).columns())
    assert path_sums(space, codes[:0]).columns().shape == (0, 17)

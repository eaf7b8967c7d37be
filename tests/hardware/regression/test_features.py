"""Groups of features against counts made by hand."""

import numpy as np
import pytest

from surrogate_nas.hardware.regression.features import ChainFeatures, cell_views, chain_views, latency_views
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.space import Space


def distinguishes(features: np.ndarray, one: int, other: int) -> bool:
    return not np.allclose(features[one], features[other])


def test_dead_operations_count_as_written_but_not_as_reaching(space: Space) -> None:
    assert isinstance(space, CellSpace)
    codes = space.all_codes()
    written, reaching, _ = cell_views(space, codes)
    # A convolution into node 1, which nothing leaves; then one out of node 2, which nothing enters.
    plain, dead_end, unfed = space.index([[0, 0, 0, 3, 0, 0], [3, 0, 0, 3, 0, 0], [0, 0, 0, 3, 0, 3]]).tolist()
    assert distinguishes(written.features, plain, dead_end)
    assert not distinguishes(reaching.features, plain, dead_end)
    assert distinguishes(reaching.features, plain, unfed)


def test_views_of_the_whole_space_are_standardised_and_kernels_about_one(space: Space) -> None:
    for view in latency_views(space, space.all_codes()):
        np.testing.assert_allclose(view.features.mean(axis=0), 0, atol=1e-9)
        rows = np.random.default_rng(0).permutation(space.size)[:300]
        assert view.kernel(rows)[rows].diagonal().mean() == pytest.approx(1, abs=0.15)


def test_layers_near_each_other_share_what_is_learnt_of_an_operation() -> None:
    codes = np.random.default_rng(0).integers(0, 3, (200, 12))
    one = np.zeros((1, 12), dtype=int)
    first, second, last = one.copy(), one.copy(), one.copy()
    first[0, 0], second[0, 1], last[0, 11] = 2, 2, 2
    _, smooth, positions = chain_views(np.concatenate([codes, one, first, second, last]))
    change = smooth.features[[201, 202, 203]] - smooth.features[200]
    assert change[0] @ change[1] > 0.5 * (change[0] @ change[0])
    assert abs(change[0] @ change[2]) < 0.05 * (change[0] @ change[0])
    alone = positions.features[[201, 202]] - positions.features[200]
    assert not (alone[0] * alone[1]).any()


def test_a_space_that_is_not_known_is_taken_as_layers() -> None:
    codes = np.random.default_rng(0).integers(0, 4, (50, 5))
    assert [view.name for view in latency_views(None, codes)] == [view.name for view in chain_views(codes)]


def test_features_of_a_chain_do_not_depend_on_what_is_asked_beside_it() -> None:
    codes = np.random.default_rng(0).integers(0, 4, (300, 6))
    features = ChainFeatures(codes)
    for view, alone, reference in zip(
        features.views(codes), features.views(codes[:3]), chain_views(codes), strict=True
    ):
        np.testing.assert_allclose(view.features[:3], alone.features)
        np.testing.assert_array_equal(view.features, reference.features)

"""Architectures are compared by what they compute, and by their sizes where they choose any."""

import numpy as np

from surrogate_nas.predictor.features.graph_features import path_features
from surrogate_nas.search.trainings.comparison import comparable_features
from surrogate_nas.search.trainings.residual import standardised
from surrogate_nas.space.load import load_space

IMAGES32 = load_space("images32")
CODES = IMAGES32.canonical(IMAGES32.sample(300, np.random.default_rng(0)))


def test_cells_are_compared_by_their_paths_alone() -> None:
    space = load_space("nasbench201")
    codes = space.canonical(space.sample(100, np.random.default_rng(0)))
    found = comparable_features(space, space.network, codes)
    np.testing.assert_array_equal(found, standardised(path_features(space, codes)))


def test_half_of_a_distance_is_of_the_network_as_a_whole() -> None:
    found = comparable_features(IMAGES32, IMAGES32.network, CODES)
    assert found.shape[0] == len(CODES)
    assert np.isfinite(found).all()
    spread = (found**2).sum(axis=1).mean()  # features have mean 0
    assert 0.99 < spread < 1.01
    paths = standardised(path_features(IMAGES32, CODES)).shape[1]
    assert 0.49 < (found[:, paths:] ** 2).sum(axis=1).mean() < 0.51


def test_a_network_is_nearer_to_one_of_its_size_than_to_a_larger_one() -> None:
    nodes = IMAGES32.parse("r32+w8|w16|w32+" + "+".join(["basic_k3" + "|identity" * 4] * 3))
    like, larger = nodes.copy(), nodes.copy()
    like[1] = 1  # 16 channels in the first stage
    larger[1:4] = 3
    larger[5:9] = 0
    found = comparable_features(IMAGES32, IMAGES32.network, np.concatenate([CODES, np.stack([nodes, like, larger])]))
    own, near, far = found[-3:]
    assert ((own - near) ** 2).sum() < ((own - far) ** 2).sum() / 2

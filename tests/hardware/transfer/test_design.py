"""Chosen measurements against random ones, by the determinant that they maximise."""

import numpy as np
import pytest

from surrogate_nas.hardware.regression.features import latency_views
from surrogate_nas.hardware.transfer.design import choose_informative, design_features
from surrogate_nas.space.space import Space


def information(features: np.ndarray, rows: np.ndarray) -> float:
    inside = features[rows]
    return float(np.linalg.slogdet(np.eye(features.shape[1]) + inside.T @ inside)[1])


def test_chosen_rows_say_more_than_random_ones() -> None:
    rng = np.random.default_rng(0)
    features = rng.standard_normal((300, 8)) * np.linspace(0.2, 2, 8)
    chosen = choose_informative(features, 15)
    assert len(set(chosen.tolist())) == 15
    best_random = max(information(features, rng.permutation(300)[:15]) for _ in range(200))
    assert information(features, chosen) > best_random


def test_each_choice_has_the_largest_posterior_variance() -> None:
    features = np.random.default_rng(1).standard_normal((40, 3))
    chosen = choose_informative(features, 6, noise=0.5)
    for step in range(6):
        inside = features[chosen[:step]]
        covariance = np.linalg.inv(np.eye(3) + inside.T @ inside / 0.5)
        variance = np.einsum("nf,fg,ng->n", features, covariance, features)
        variance[chosen[:step]] = -1
        assert int(np.argmax(variance)) == chosen[step]


def test_more_rows_than_there_are_is_refused() -> None:
    with pytest.raises(ValueError, match=r"between 1 and 3 \(got 4\)"):
        choose_informative(np.eye(3), 4)


def test_finer_views_weigh_less(space: Space) -> None:
    views = latency_views(space, space.all_codes())
    features = design_features(views)
    assert features.shape == (space.size, sum(view.features.shape[1] for view in views))
    width = views[0].features.shape[1]
    assert features[:, :width].std() > features[:, width:].std()

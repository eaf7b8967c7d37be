"""The weights against a regression that knows the quality."""

import numpy as np
import pytest

from surrogate_nas.predictor.fusion.fusion import fusion_weights


def measure(quality: np.ndarray, correlation: float, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=len(quality))
    return np.asarray(correlation * quality + np.sqrt(1 - correlation**2) * noise)


@pytest.mark.parametrize(("label", "prior"), [(0.75, 0.8), (0.6, 0.8), (0.3, 0.5)])
def test_independent_errors_get_the_weights_of_a_regression_on_the_quality(label: float, prior: float) -> None:
    quality = np.random.default_rng(0).normal(size=200_000)
    first, second = measure(quality, label, 1), measure(quality, prior, 2)
    weights = fusion_weights(first, second, prior)
    wanted = np.linalg.lstsq(np.stack([first, second], axis=1), quality, rcond=None)[0]
    assert weights.label_correlation == pytest.approx(label, abs=0.01)
    assert weights.label / weights.prior == pytest.approx(wanted[0] / wanted[1], rel=0.05)


def test_labels_that_contradict_the_prior_have_no_weight() -> None:
    prior = np.arange(50.0)
    weights = fusion_weights(-prior, prior, 0.8)
    assert weights.label == 0
    assert weights(-prior, prior).argmax() == 49


def test_labels_that_repeat_the_prior_weigh_as_much_as_it_and_no_more() -> None:
    prior = np.arange(50.0)
    weights = fusion_weights(prior, prior, 0.8)
    assert weights.label_correlation == 0.8
    assert weights.label == weights.prior


def test_a_given_share_decides_whatever_the_agreement() -> None:
    prior = np.arange(50.0)
    for label in (prior, -prior):
        weights = fusion_weights(label, prior, 0.8, 0.25)
        assert (weights.label, weights.prior) == (0.25, 0.75)
    assert fusion_weights(-prior, prior, 0.8, 1)(-prior, prior).argmax() == 0

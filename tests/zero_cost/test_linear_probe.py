"""Images that are left out in closed form are judged as by classifiers that were fitted without them."""

import numpy as np
import pytest

from surrogate_nas.zero_cost import linear_probe
from surrogate_nas.zero_cost.linear_probe import probe


def made(count: int, width: int, classes: int = 3, signal: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """Returns features whose first column tells the class, with noise."""
    rng = np.random.default_rng([count, width])
    labels = rng.integers(classes, size=count)
    features = rng.normal(size=(count, width))
    features[:, 0] += signal * labels
    return features, labels


@pytest.mark.parametrize(("count", "width"), [(40, 6), (20, 50)])
def test_it_is_the_classifier_that_was_fitted_without_the_image(
    count: int, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linear_probe, "_PENALTIES", (1.0,))
    features, labels = made(count, width)
    wanted, centred = np.eye(3)[labels], features - features.mean(axis=0)
    covariance = np.linalg.eigvalsh(centred.T @ centred)
    penalty = covariance[covariance > 1e-9 * covariance[-1]].mean()
    errors, right = [], []
    for image in range(count):
        kept = np.arange(count) != image
        x, y = features[kept], wanted[kept]
        centre, mean = x.mean(axis=0), y.mean(axis=0)
        weights = np.linalg.solve((x - centre).T @ (x - centre) + penalty * np.eye(width), (x - centre).T @ (y - mean))
        scores = mean + (features[image] - centre) @ weights
        errors.append(((wanted[image] - scores) ** 2).sum())
        right.append(scores.argmax() == labels[image])
    found = probe(features, labels, 3)
    assert found.squared_error == pytest.approx(np.mean(errors))
    assert found.accuracy_percent == pytest.approx(100 * np.mean(right))


def test_features_that_tell_more_are_better() -> None:
    found = [probe(*made(200, 30, signal=signal), 3) for signal in (0.0, 1.0, 4.0)]
    assert found[0].accuracy_percent < found[1].accuracy_percent < found[2].accuracy_percent
    assert found[0].squared_error > found[1].squared_error > found[2].squared_error


def test_features_of_noise_are_no_better_than_guessing() -> None:
    features, labels = made(300, 500, signal=0.0)
    assert probe(features, labels, 3).accuracy_percent < 45
    # The best guess is the share of every class, whose error is 2/3.
    assert probe(features, labels, 3).squared_error == pytest.approx(2 / 3, abs=0.05)


def test_classes_may_count_the_same() -> None:
    features, labels = made(200, 5, classes=2, signal=1.0)
    kept = (labels == 0) | (np.arange(200) % 10 == 0)
    features, labels = features[kept], labels[kept]
    each, same = probe(features, labels, 2), probe(features, labels, 2, by_class=True)
    assert same.accuracy_percent < each.accuracy_percent - 10  # most images are of the class that is named most


@pytest.mark.parametrize("features", [np.zeros((12, 4)), np.ones((6, 9))])
def test_features_that_never_change_name_one_class(features: np.ndarray) -> None:
    labels = np.arange(len(features)) % 2
    found = probe(features, labels, 2)
    assert np.isfinite(found).all()
    assert found.accuracy_percent <= 50


@pytest.mark.parametrize("count", [25, 150, 500])
def test_a_perfect_probe_has_no_more_than_all_right(count: int) -> None:
    labels = np.arange(count) % 4
    features = 10 * np.eye(4)[labels] + np.random.default_rng(0).normal(size=(count, 4)) / 100
    for by_class in (False, True):
        found = probe(features, labels, 4, by_class=by_class)
        assert 99.9 < found.accuracy_percent <= 100

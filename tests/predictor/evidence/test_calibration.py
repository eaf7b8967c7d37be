"""The line against numpy's own least squares, and its refusal to fall."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surrogate_nas.errors import SurrogateNasWarning
from surrogate_nas.predictor.evidence.calibration import MINIMUM_SLOPE, Calibration, calibrate
from surrogate_nas.predictor.protocol import Prediction


@given(seed=st.integers(0, 10_000), slope=st.floats(1, 20))
def test_it_is_the_least_squares_line(seed: int, slope: float) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=50)
    accuracy = 60 + slope * scores + rng.normal(size=50)
    line = calibrate(scores, accuracy)
    expected_slope, expected_intercept = np.polyfit(scores, accuracy, 1)
    assert line.slope == pytest.approx(expected_slope)
    assert line.intercept == pytest.approx(expected_intercept)
    assert line.residual_percent == pytest.approx(
        np.std(accuracy - np.polyval([expected_slope, expected_intercept], scores))
    )


def test_mean_and_spread_are_both_put_in_percent() -> None:
    prediction = Calibration(80.0, 2.0, 1.0).apply(Prediction(np.array([0.0, 1.5]), np.array([0.1, 0.0])))
    assert prediction.mean.tolist() == [80.0, 83.0]
    assert prediction.std.tolist() == [0.2, 0.0]


def test_accuracy_that_falls_with_the_score_is_told_and_the_order_kept() -> None:
    scores = np.linspace(-1, 1, 20)
    with pytest.warns(SurrogateNasWarning, match="slope -3"):
        line = calibrate(scores, 50 - 3 * scores)
    assert line.slope == MINIMUM_SLOPE
    assert line.accuracy_percent(scores).mean() == pytest.approx(50)
    assert (np.diff(line.accuracy_percent(scores)) > 0).all()


def test_accuracies_that_are_all_equal_are_told() -> None:
    with pytest.warns(SurrogateNasWarning, match=r"all held-out labels have the accuracy 10\.00%, so predicted"):
        assert calibrate(np.arange(5.0), np.full(5, 10.0)).residual_percent < 0.02


def test_an_order_of_nearly_equal_accuracies_is_an_order() -> None:
    scores = np.linspace(-1, 1, 20)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        line = calibrate(scores, 50 + 0.005 * scores)
    assert line.slope == pytest.approx(0.005)

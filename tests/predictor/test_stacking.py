"""Weights against least squares, and the start's share where little else is known."""

import numpy as np
import pytest

from surrogate_nas.predictor.protocol import Codes, Prediction
from surrogate_nas.predictor.stacking import Stack, ranked, stacking_weights
from surrogate_nas.space.space import Space


class Column:
    """Scores an architecture by one of its decisions."""

    def __init__(self, column: int) -> None:
        self.column = column

    def predict(self, codes: Codes) -> Prediction:
        values = codes[:, self.column].astype(np.float64)
        return Prediction(values, np.zeros(len(values)))


def test_many_networks_decide_as_least_squares_does() -> None:
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(5000, 2))
    ranks = 0.3 * columns[:, 0] + 0.6 * columns[:, 1] + 0.1 * rng.normal(size=5000)
    assert stacking_weights(list(columns.T), ranks) == pytest.approx([0.3, 0.6], abs=0.02)


def test_without_networks_the_first_model_stands_alone() -> None:
    assert stacking_weights([np.empty(0)] * 3, np.empty(0)) == pytest.approx([1, 0, 0])


def test_a_model_that_is_wrong_gets_no_weight_and_one_model_always_some() -> None:
    ranks = np.linspace(-1.7, 1.7, 100)
    weights = stacking_weights([ranks, -ranks], ranks)
    assert weights[1] == 0
    assert stacking_weights([-ranks], ranks)[0] > 0


def test_a_stack_adds_ranks_by_weight(space: Space) -> None:
    codes = space.all_codes()
    models = {"first": ranked(Column(0), codes), "second": ranked(Column(5), codes), "third": ranked(Column(3), codes)}
    stack = Stack(space, models, np.array([3.0, 1.0, 0.0]))
    prediction = stack.predict(codes)
    first, second = models["first"].score(codes), models["second"].score(codes)
    np.testing.assert_allclose(prediction.mean, 0.75 * first + 0.25 * second)
    np.testing.assert_allclose(prediction.std, np.abs(first - second) * np.sqrt(0.75 * 0.25), atol=1e-9)

"""Means of ranks, and how far models disagree."""

import numpy as np

from surrogate_nas.predictor.fusion.rank_mean import Stack, ranked
from surrogate_nas.predictor.protocol import Codes, Prediction
from surrogate_nas.space.space import Space


class Column:
    """Scores an architecture by one of its decisions."""

    def __init__(self, column: int) -> None:
        self.column = column

    def predict(self, codes: Codes) -> Prediction:
        values = codes[:, self.column].astype(np.float64)
        return Prediction(values, np.zeros(len(values)))


def test_a_stack_is_the_mean_of_ranks(space: Space) -> None:
    codes = space.all_codes()
    models = {"first": ranked(Column(0), codes), "second": ranked(Column(5), codes)}
    prediction = Stack(space, models).predict(codes)
    first, second = models["first"].score(codes), models["second"].score(codes)
    np.testing.assert_allclose(prediction.mean, (first + second) / 2)
    np.testing.assert_allclose(prediction.std, np.abs(first - second) / 2, atol=1e-9)

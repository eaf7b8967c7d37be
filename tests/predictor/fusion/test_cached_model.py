"""The same answers, asked for once."""

import numpy as np

from surrogate_nas.predictor.fusion.cached_model import remembered
from surrogate_nas.predictor.protocol import Codes, Prediction
from surrogate_nas.space.space import Space
from surrogate_nas.testing.spaces import live_operations


class Counting:
    """Says how many operations are alive, and counts how many architectures it was asked about."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.asked = 0

    def predict(self, codes: Codes) -> Prediction:
        self.asked += len(codes)
        live = live_operations(self.space, self.space.canonical(codes)).astype(np.float64)
        return Prediction(live, -live)


def test_answers_are_the_same_and_what_is_known_is_not_asked_again(space: Space) -> None:
    model = Counting(space)
    reference = space.sample(300, np.random.default_rng(0))
    kept = remembered(space, model, reference)
    first = model.asked
    assert first == len(np.unique(space.canonical(reference), axis=0))
    assert np.array_equal(kept.predict(reference).mean, Counting(space).predict(reference).mean)
    assert model.asked == first
    others = space.sample(100, np.random.default_rng(1))
    assert np.array_equal(kept.predict(others).std, Counting(space).predict(others).std)
    assert first < model.asked <= first + 100

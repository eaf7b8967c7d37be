"""A source that contradicts the predictor is named."""

import numpy as np
import pytest

from surrogate_nas.errors import SurrogateNasWarning
from surrogate_nas.predictor.fusion.agreement import agreement
from surrogate_nas.predictor.protocol import Codes, Prediction
from surrogate_nas.predictor.training_set import SourceLabels
from tests.predictor.conftest import Problem


class Oracle:
    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    def predict(self, codes: Codes) -> Prediction:
        truth = self.problem.truth(codes.astype(np.int8))
        return Prediction(truth, np.zeros(len(truth)))


def test_a_source_that_contradicts_the_predictor_is_named(problem: Problem) -> None:
    source = SourceLabels(problem.codes, problem.targets)
    assert agreement(Oracle(problem), {"one": source})["one"] > 0.7
    with pytest.warns(SurrogateNasWarning, match="labels of other agree with the predictor with tau -0"):
        agreement(Oracle(problem), {"one": source, "other": SourceLabels(problem.codes, -problem.targets)})

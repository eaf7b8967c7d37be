"""Scales of sources do not matter, and a source that contradicts the rest is named."""

import numpy as np
import pytest

from surrogate_nas.errors import SettingsError, SurrogateNasWarning
from surrogate_nas.predictor.fusion.agreement import agreement, joined
from surrogate_nas.predictor.fusion.recipes import SourceLabels
from surrogate_nas.predictor.protocol import Codes, Prediction
from surrogate_nas.ranking import kendall_tau
from tests.predictor.conftest import Problem


class Oracle:
    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    def predict(self, codes: Codes) -> Prediction:
        truth = self.problem.truth(codes.astype(np.int8))
        return Prediction(truth, np.zeros(len(truth)))


def test_a_source_on_another_scale_counts_the_same(problem: Problem) -> None:
    source = SourceLabels(problem.codes, problem.targets)
    other = SourceLabels(problem.codes, np.exp(problem.targets) * 1000)
    both = joined({"one": source, "other": other})
    assert len(both.codes) == len(both.values) == 2 * len(problem.codes)
    assert np.array_equal(both.values[: len(problem.codes)], both.values[len(problem.codes) :])
    assert kendall_tau(both.values[: len(problem.codes)], problem.targets) == pytest.approx(1)


def test_a_source_that_contradicts_the_predictor_is_named(problem: Problem) -> None:
    source = SourceLabels(problem.codes, problem.targets)
    assert agreement(Oracle(problem), {"one": source})["one"] > 0.7
    with pytest.warns(SurrogateNasWarning, match="labels of other agree with the predictor with tau -0"):
        agreement(Oracle(problem), {"one": source, "other": SourceLabels(problem.codes, -problem.targets)})


def test_labels_that_cannot_be_joined_are_refused(problem: Problem) -> None:
    with pytest.raises(SettingsError, match="at least one"):
        joined({})
    with pytest.raises(SettingsError, match="labels of one must be finite"):
        joined({"one": SourceLabels(problem.codes, problem.targets * np.nan)})

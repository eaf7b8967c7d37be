"""Properties of ridge regression only; test_models.py covers all models."""

import numpy as np

from surrogate_nas.predictor.features.graph_features import pairs_of_decisions
from surrogate_nas.predictor.models.ridge import RidgeScorer
from surrogate_nas.predictor.settings import PredictorSettings
from tests.predictor.conftest import Problem


def test_its_scores_are_linear_in_pairs_of_decisions(problem: Problem) -> None:
    scorer = RidgeScorer(problem.space, PredictorSettings(model="ridge"))
    scorer.fit(problem.codes, problem.targets, seed=0)
    learnt = {name: values.astype(np.float64) for name, values in scorer.arrays().items()}
    expected = pairs_of_decisions(problem.space, problem.codes) @ learnt["coefficients"] + learnt["intercept"]
    np.testing.assert_allclose(scorer.score(problem.codes), expected)


def test_nothing_is_drawn(problem: Problem) -> None:
    scorer = RidgeScorer(problem.space, PredictorSettings(model="ridge"))
    scorer.fit(problem.codes, problem.targets, seed=0)
    first = scorer.score(problem.codes)
    scorer.fit(problem.codes, problem.targets, seed=1)
    assert np.array_equal(scorer.score(problem.codes), first)

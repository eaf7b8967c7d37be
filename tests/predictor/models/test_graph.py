"""Properties of graph networks only; test_models.py covers all models."""

import numpy as np
import pytest

from surrogate_nas.predictor.models import graph as graph_scorer
from surrogate_nas.predictor.models.convolutions import sum_convolution
from surrogate_nas.predictor.models.graph_kinds import bidirectional
from surrogate_nas.predictor.settings import PredictorSettings
from tests.predictor.conftest import Problem


def test_the_size_of_scoring_batches_changes_nothing(
    problem: Problem, quick: PredictorSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer = bidirectional(sum_convolution)(problem.space, quick)
    scorer.fit(problem.codes, problem.targets, seed=0)
    whole = scorer.score(problem.codes)
    monkeypatch.setattr(graph_scorer, "SCORING_BATCH", 7)
    np.testing.assert_allclose(scorer.score(problem.codes), whole, atol=1e-5)


def test_tuning_goes_on_from_the_weights_and_leaves_them(problem: Problem, quick: PredictorSettings) -> None:
    scorer = bidirectional(sum_convolution)(problem.space, quick)
    scorer.fit(problem.codes, problem.targets, seed=0)
    before = scorer.score(problem.codes)
    nudged = scorer.tuned(problem.codes, -problem.targets, steps=1, learning_rate=1e-6, seed=0)
    turned = scorer.tuned(problem.codes, -problem.targets, steps=60, learning_rate=3e-3, seed=0)
    np.testing.assert_allclose(nudged.score(problem.codes), before, atol=1e-3)
    assert np.corrcoef(turned.score(problem.codes), before)[0, 1] < 0
    assert np.array_equal(scorer.score(problem.codes), before)


def test_arrays_are_copies(problem: Problem, quick: PredictorSettings) -> None:
    scorer = bidirectional(sum_convolution)(problem.space, quick)
    scorer.fit(problem.codes, problem.targets, seed=0)
    before = scorer.score(problem.codes)
    for values in scorer.arrays().values():
        values[...] = 0
    assert np.array_equal(scorer.score(problem.codes), before)

"""Trained networks correct a start that is wrong; few of them teach less than many."""

import numpy as np
import pytest

from surrogate_nas.predictor.fusion import fine_tuning
from surrogate_nas.predictor.fusion import stack as source_stack
from surrogate_nas.predictor.fusion.fusion import FusedPredictor
from surrogate_nas.predictor.fusion.priors import make_prior
from surrogate_nas.predictor.fusion.stack import fit_stack
from surrogate_nas.predictor.models import boosting as boosting_scorer
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.predictor.training_set import TrainingSet, make_training_set
from surrogate_nas.ranking import kendall_tau
from tests.predictor.conftest import Problem


@pytest.fixture(autouse=True)
def short_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fine_tuning, "PRETRAINING_STEPS", 60)
    monkeypatch.setattr(fine_tuning, "TUNING_STEPS", 30)
    monkeypatch.setattr(boosting_scorer, "TREES", 40)


def units_of(problem: Problem, sign: float, count: int) -> TrainingSet:
    values = sign * problem.targets[:count], problem.accuracy_percent[:count]
    return make_training_set(problem.space, problem.codes[:count], *values, canonical=True, minimum=5)


@pytest.mark.slow
def test_many_networks_move_the_stack_away_from_a_start_that_is_wrong(
    problem: Problem, quick: PredictorSettings
) -> None:
    reference = problem.space.sample(300, np.random.default_rng(0))
    prior = make_prior(problem.space, reference)
    start = FusedPredictor(problem.space, prior)
    truth = problem.truth(reference)
    for sign, least in ((1, 0.6), (-1, 0.2)):
        stack = fit_stack(problem.space, quick, start, (prior, None), units_of(problem, sign, 120), reference, seed=0)
        assert list(stack.models) == ["start", "process", "boosting", "tuned"]
        assert kendall_tau(stack.predict(reference).mean, sign * truth) > least


def test_few_networks_teach_no_graphs(problem: Problem, quick: PredictorSettings) -> None:
    reference = problem.space.sample(300, np.random.default_rng(0))
    prior = make_prior(problem.space, reference)
    start = FusedPredictor(problem.space, prior)
    units = units_of(problem, 1, 20)
    assert len(units) < source_stack.ENOUGH_FOR_GRAPHS
    first, again = (fit_stack(problem.space, quick, start, (prior, start), units, reference, seed=0) for _ in range(2))
    assert list(first.models) == ["start", "process"]
    assert np.array_equal(first.predict(reference).mean, again.predict(reference).mean)
    assert kendall_tau(first.predict(reference).mean, problem.truth(reference)) > 0.6

"""Networks that contradict the start move the stack away from it."""

import numpy as np
import pytest

from surrogate_nas.predictor import boosting_scorer, fine_tuning, source_stack
from surrogate_nas.predictor.priors import make_prior
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.predictor.source_stack import fit_stack, ways_to_learn
from surrogate_nas.predictor.sources import FusedPredictor
from surrogate_nas.predictor.targets import Units, make_units
from surrogate_nas.ranking import kendall_tau

from .conftest import Problem


@pytest.fixture(autouse=True)
def short_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fine_tuning, "PRETRAINING_STEPS", 60)
    monkeypatch.setattr(fine_tuning, "TUNING_STEPS", 30)
    monkeypatch.setattr(boosting_scorer, "TREES", 40)
    monkeypatch.setattr(source_stack, "FOLDS", 3)


def units_of(problem: Problem, sign: float) -> Units:
    return make_units(problem.space, problem.codes, sign * problem.targets, problem.accuracy_percent, canonical=True)


def test_a_start_that_is_right_keeps_its_weight_and_one_that_is_wrong_loses_it(
    problem: Problem, quick: PredictorSettings
) -> None:
    reference = problem.space.sample(300, np.random.default_rng(0))
    start = FusedPredictor(problem.space, make_prior(problem.space, reference))
    right = fit_stack(problem.space, quick, start, units_of(problem, 1), reference, seed=0)
    wrong = fit_stack(problem.space, quick, start, units_of(problem, -1), reference, seed=0)
    assert list(right.models) == ["start", "tuned", "scratch", "boosting"]
    assert wrong.weights[0] < right.weights[0]
    truth = problem.truth(reference)
    assert kendall_tau(right.predict(reference).mean, truth) > 0.6
    assert kendall_tau(wrong.predict(reference).mean, -truth) > 0.6


def test_every_way_can_be_used_again(problem: Problem, quick: PredictorSettings) -> None:
    reference = problem.space.sample(300, np.random.default_rng(0))
    start = FusedPredictor(problem.space, make_prior(problem.space, reference))
    units = units_of(problem, 1)
    for fit in ways_to_learn(problem.space, quick, start, reference, seed=0).values():
        first, again = (fit(units.codes, units.targets, 1, 5).predict(reference).mean for _ in range(2))
        assert np.array_equal(first, again)

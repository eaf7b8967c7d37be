"""Without labels the prior answers, and trained networks correct it."""

import numpy as np
import pytest

from benchmarks.unlabelled import fit_unlabelled
from surrogate_nas.errors import SettingsError
from surrogate_nas.predictor.fusion import fine_tuning, rank_transform
from surrogate_nas.predictor.models import boosting
from surrogate_nas.predictor.protocol import FittedModel
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.predictor.training_set import SourceLabels
from surrogate_nas.ranking import kendall_tau
from tests.predictor.conftest import Problem
from tests.predictor.conftest import problem as problem
from tests.predictor.conftest import quick as quick
from tests.predictor.conftest import space as space


@pytest.fixture(autouse=True)
def short_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fine_tuning, "PRETRAINING_STEPS", 60)
    monkeypatch.setattr(fine_tuning, "TUNING_STEPS", 30)
    monkeypatch.setattr(boosting, "TREES", 40)
    monkeypatch.setattr(rank_transform, "REFERENCE_SIZE", 500)


def tau(model: FittedModel, problem: Problem) -> float:
    unseen = problem.space.sample(300, np.random.default_rng(8))
    return kendall_tau(model.predict(unseen).mean, problem.truth(unseen))


def test_the_prior_answers_without_doubt(problem: Problem, quick: PredictorSettings) -> None:
    model = fit_unlabelled(problem.space, quick)
    assert tau(model, problem) > 0.5
    assert not model.predict(problem.codes).std.any()


@pytest.mark.slow
def test_trained_networks_are_learnt_from(problem: Problem, quick: PredictorSettings) -> None:
    unseen = problem.space.sample(60, np.random.default_rng(1))
    trained = SourceLabels(unseen, problem.truth(unseen))
    assert tau(fit_unlabelled(problem.space, quick, trained), problem) > tau(
        fit_unlabelled(problem.space, quick), problem
    )


def test_one_seed_one_predictor(problem: Problem, quick: PredictorSettings) -> None:
    few = SourceLabels(problem.codes[:20], problem.targets[:20])
    first, again = (fit_unlabelled(problem.space, quick, few, seed=3) for _ in range(2))
    assert np.array_equal(first.predict(problem.codes).mean, again.predict(problem.codes).mean)


def test_too_few_trained_networks_are_refused(problem: Problem, quick: PredictorSettings) -> None:
    few = SourceLabels(problem.codes[:3], problem.targets[:3])
    with pytest.raises(SettingsError, match="at least 5"):
        fit_unlabelled(problem.space, quick, few)

"""What each recipe makes of labels, of trained networks, and of both."""

import numpy as np
import pytest

from surrogate_nas.errors import SettingsError
from surrogate_nas.predictor.fusion import fine_tuning
from surrogate_nas.predictor.fusion import reference_set as reference
from surrogate_nas.predictor.fusion.recipes import SourceLabels, fit_sources
from surrogate_nas.predictor.models import boosting as boosting_scorer
from surrogate_nas.predictor.protocol import FittedModel
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.ranking import kendall_tau
from tests.predictor.conftest import Problem


@pytest.fixture(autouse=True)
def short_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fine_tuning, "PRETRAINING_STEPS", 60)
    monkeypatch.setattr(fine_tuning, "TUNING_STEPS", 30)
    monkeypatch.setattr(boosting_scorer, "TREES", 40)
    monkeypatch.setattr(reference, "REFERENCE_SIZE", 500)


@pytest.fixture(scope="module")
def labels(problem: Problem) -> SourceLabels:
    return SourceLabels(problem.codes, problem.targets)


def tau(model: FittedModel, problem: Problem) -> float:
    unseen = problem.space.sample(300, np.random.default_rng(8))
    return kendall_tau(model.predict(unseen).mean, problem.truth(unseen))


def test_good_labels_are_found_and_followed(problem: Problem, quick: PredictorSettings, labels: SourceLabels) -> None:
    model = fit_sources(problem.space, quick, supernet=labels, seed=0)
    assert tau(model, problem) > 0.6
    assert (model.predict(problem.codes).std > 0).mean() > 0.9


def test_without_any_labels_the_prior_answers(problem: Problem, quick: PredictorSettings) -> None:
    model = fit_sources(problem.space, quick, seed=0)
    assert tau(model, problem) > 0.5
    assert not model.predict(problem.codes).std.any()


def test_trained_networks_correct_a_supernet_that_is_wrong(problem: Problem, quick: PredictorSettings) -> None:
    wrong = SourceLabels(problem.codes, np.random.default_rng(0).normal(size=len(problem.codes)))
    unseen = problem.space.sample(60, np.random.default_rng(1))
    trained = SourceLabels(unseen, problem.truth(unseen))
    before = tau(fit_sources(problem.space, quick, supernet=wrong, seed=0), problem)
    after = tau(fit_sources(problem.space, quick, supernet=wrong, trained=trained, seed=0), problem)
    assert after > before


def test_labels_alone_know_no_prior(problem: Problem, quick: PredictorSettings, labels: SourceLabels) -> None:
    reverse = SourceLabels(labels.codes, -labels.values)
    assert tau(fit_sources(problem.space, quick, supernet=reverse, recipe="labels", seed=0), problem) < -0.5
    assert tau(fit_sources(problem.space, quick, trained=labels, recipe="labels", seed=0), problem) > 0.6
    with pytest.raises(SettingsError, match="got neither"):
        fit_sources(problem.space, quick, recipe="labels")


def test_one_seed_one_predictor(problem: Problem, quick: PredictorSettings, labels: SourceLabels) -> None:
    few = SourceLabels(problem.codes[:20], problem.targets[:20])
    first, again = (fit_sources(problem.space, quick, supernet=labels, trained=few, seed=3) for _ in range(2))
    assert np.array_equal(first.predict(problem.codes).mean, again.predict(problem.codes).mean)


def test_isomorphic_cells_get_one_score(problem: Problem, quick: PredictorSettings, labels: SourceLabels) -> None:
    twins = np.array([[3, 0, 0, 0, 1, 0], [0, 3, 0, 0, 0, 1]], dtype=np.int8)
    first, second = fit_sources(problem.space, quick, supernet=labels, seed=0).predict(twins).mean
    assert first == second


def test_what_cannot_be_learnt_from_is_refused(problem: Problem, quick: PredictorSettings) -> None:
    few = SourceLabels(problem.codes[:3], problem.targets[:3])
    with pytest.raises(SettingsError, match="at least 5"):
        fit_sources(problem.space, quick, trained=few)
    with pytest.raises(SettingsError, match="'magic'; choose from fusion, labels"):
        fit_sources(problem.space, quick, recipe="magic")

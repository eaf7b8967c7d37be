"""The best on held-out labels is chosen, and a fixed choice is left alone."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.predictor.evidence import model_choice as auto
from surrogate_nas.predictor.evidence.cross_validation import CrossValidation, FitContext, cross_validate
from surrogate_nas.predictor.evidence.model_choice import candidates, choose_model
from surrogate_nas.predictor.model_table import MODELS
from surrogate_nas.predictor.models import boosting as boosting_scorer
from surrogate_nas.predictor.predictor import fit_predictor, load_predictor
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.predictor.training_set import make_training_set
from tests.predictor.conftest import Problem


def test_auto_means_every_model() -> None:
    assert candidates(PredictorSettings(model="auto")) == tuple(MODELS)
    assert candidates(PredictorSettings(model="ridge")) == ("ridge",)


def test_the_highest_tau_on_held_out_labels_wins(problem: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    units = make_training_set(problem.space, problem.codes, problem.targets, problem.accuracy_percent, True)
    taus = dict.fromkeys(MODELS, 0.4) | {"gin": 0.5, "plain_gcn": 0.3, "ridge": 0.7, "boosting": 0.6}
    blank = cross_validate(FitContext(problem.space, PredictorSettings(model="ridge"), 0), units)

    def pretend(context: FitContext, _units: object) -> CrossValidation:
        return dataclasses.replace(blank, tau=taus[context.settings.model])

    monkeypatch.setattr(auto, "cross_validate", pretend)
    settings, evidence = choose_model(FitContext(problem.space, PredictorSettings(model="auto"), 0), units)
    assert (settings.model, evidence.tau) == ("ridge", 0.7)


@pytest.mark.slow
def test_a_chosen_model_is_saved_and_loaded(
    problem: Problem, quick: PredictorSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boosting_scorer, "TREES", 10)
    heard: list[tuple[int, int]] = []
    made = fit_predictor(
        problem.space,
        problem.codes,
        problem.targets,
        problem.accuracy_percent,
        quick.model_copy(update={"model": "auto", "steps": 5}),
        0,
        lambda done, total: heard.append((done, total)),
    )
    assert made.settings.model in MODELS
    assert heard[-1] == (3 * len(MODELS) + 2, 3 * len(MODELS) + 2)
    made.save(tmp_path)
    again = load_predictor(tmp_path, problem.space)
    assert np.array_equal(again.score(problem.codes), made.score(problem.codes))

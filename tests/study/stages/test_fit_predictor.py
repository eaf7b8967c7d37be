"""The predictor of a study: fitted once for its labels, joined with its trainings, and the same when resumed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from unittest.mock import Mock

import numpy as np
import pytest

from surrogate_nas.predictor.fusion.priors import ExtraScores
from surrogate_nas.predictor.predictor import FittedPredictor, load_predictor
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.space.class_table import ClassTable
from surrogate_nas.space.load import load_space
from surrogate_nas.study.findings import Findings, LearnedOrder, StudyLabels
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.run import run_stage
from surrogate_nas.study.running import Run
from surrogate_nas.study.stages.fit_predictor import FitPredictor, predictor_inputs, with_learned, zero_cost_scores
from surrogate_nas.study.stages.labels import label_architectures

RunHere = Callable[..., tuple[int, str, str]]
TRAININGS = ("--trainings", "8", "--set", "loop.stop_gain_percent=0")


@pytest.mark.filterwarnings("ignore:the predictor's scores do not rise")
def test_a_predictor_is_fitted_once_for_its_labels(
    problem: Problem, run_copy: Path, run_of: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_of(run_copy)
    labels = label_architectures(problem, run)
    other = replace(labels, loss=1.01 * labels.loss)
    assert predictor_inputs(problem, other) != predictor_inputs(problem, labels)

    def fitted_to(those: StudyLabels) -> FittedPredictor:
        return run_stage(FitPredictor(), Findings(problem, LearnedOrder(), those), run)[FittedPredictor]

    with monkeypatch.context() as patch:
        patch.setattr(FittedPredictor, "save", lambda *_: pytest.fail("it was fitted again"))
        loaded = fitted_to(labels)
    fitted_to(other)
    # Killed while the next one is saved: the remains are not mistaken for it.
    with monkeypatch.context() as patch:
        patch.setattr(FittedPredictor, "save", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            fitted_to(labels)
    assert not run.folder.state.is_done("predictor", predictor_inputs(problem, other))
    np.testing.assert_array_equal(fitted_to(labels).predict(problem.drawn).mean, loaded.predict(problem.drawn).mean)


def test_it_is_said_where_there_are_no_zero_cost_scores() -> None:
    settings = SimpleNamespace(predictor=PredictorSettings(recipe="fusion", zero_cost=True))
    chain, run = SimpleNamespace(space=load_space("mobilenet"), settings=settings), Mock()
    assert zero_cost_scores(cast(Problem, chain), run) is None
    said = "zero-cost scores: not available for mobilenet: it has too many architectures, or cells of node choices"
    run.console.note.assert_called_once_with(said)


def test_a_learnt_order_votes_where_there_is_one() -> None:
    space = load_space("quick")
    codes = np.unique(space.canonical(space.all_codes()), axis=0)
    order, other = np.arange(len(codes), dtype=np.float64)[:, None], np.ones((len(codes), 1))
    learned = LearnedOrder(ClassTable(space, ("learned",), codes, order))
    scores = ExtraScores(ClassTable(space, ("naswot",), codes, other), {"naswot": 1.0})
    assert with_learned(None, LearnedOrder()) is None
    assert with_learned(scores, LearnedOrder()) is scores
    both = with_learned(scores, learned)
    assert both is not None
    assert both.weights == {"naswot": 1.0, "learned": 1.0}


@pytest.mark.slow
def test_trainings_are_joined_kept_and_found_again(run_copy: Path, here: RunHere) -> None:
    space = load_space("nasbench201")
    code, _, errors = here("--resume", "--output-dir", run_copy, *TRAININGS)
    assert code == 0, errors
    files = {path.name: path.stat().st_mtime_ns for path in (run_copy / "predictor").iterdir()}
    first = load_predictor(run_copy / "predictor", space).stack
    assert first is not None, errors
    assert len(first.codes) >= 5
    code, _, errors = here("--resume", "--output-dir", run_copy)
    assert code == 0, errors
    assert files == {path.name: path.stat().st_mtime_ns for path in (run_copy / "predictor").iterdir()}
    (run_copy / "predictor" / "predictor.json").unlink()
    code, _, errors = here("--resume", "--output-dir", run_copy)
    assert code == 0, errors
    again = load_predictor(run_copy / "predictor", space).stack
    assert again is not None
    assert np.array_equal(again.predict(space.all_codes()).mean, first.predict(space.all_codes()).mean)

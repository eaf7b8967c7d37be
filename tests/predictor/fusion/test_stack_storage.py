"""A stack restored from a file predicts the same, and damage is reported."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas._support.files import write_json
from surrogate_nas.errors import SettingsError, StoreError
from surrogate_nas.predictor.fusion import fine_tuning
from surrogate_nas.predictor.fusion import rank_transform as reference
from surrogate_nas.predictor.fusion.stack_storage import prefixed, with_prefix
from surrogate_nas.predictor.models import boosting as boosting_scorer
from surrogate_nas.predictor.predictor import FittedPredictor, fit_predictor, load_predictor
from surrogate_nas.predictor.protocol import Prediction
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.predictor.training_set import SourceLabels
from tests.predictor.conftest import Problem

PROGRAM = """
import sys, numpy as np
from pathlib import Path
from surrogate_nas.predictor.predictor import load_predictor
from surrogate_nas.space.load import load_space
space = load_space('nasbench201')
codes = space.sample(200, np.random.default_rng(9))
for folder in map(Path, sys.argv[1:]):
    prediction = load_predictor(folder, space).stack.predict(codes)
    np.save(folder / "prediction.npy", np.stack([prediction.mean, prediction.std]))
"""


@pytest.fixture(scope="module")
def labelled(problem: Problem, quick: PredictorSettings) -> FittedPredictor:
    settings = quick.model_copy(update={"steps": 10})
    return fit_predictor(problem.space, problem.codes, problem.targets, problem.accuracy_percent, settings, 0)


@pytest.fixture(autouse=True)
def short_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fine_tuning, "PRETRAINING_STEPS", 10)
    monkeypatch.setattr(fine_tuning, "TUNING_STEPS", 5)
    monkeypatch.setattr(boosting_scorer, "TREES", 10)
    monkeypatch.setattr(reference, "REFERENCE_SIZE", 400)  # so that most architectures are not remembered


def trained(problem: Problem, count: int) -> SourceLabels:
    codes = problem.space.sample(count, np.random.default_rng(5))
    return SourceLabels(codes, problem.truth(codes) + np.arange(count) / count)


@pytest.mark.slow
def test_another_process_reads_the_same_scores(labelled: FittedPredictor, problem: Problem, tmp_path: Path) -> None:
    predictions: dict[Path, Prediction] = {}
    for count in (12, 80):
        joined = labelled.with_trained(trained(problem, count), seed=0)
        assert joined.stack is not None
        assert ("tuned" in joined.stack.models) == (count == 80)
        joined.save(tmp_path / str(count))
        predictions[tmp_path / str(count)] = joined.stack.predict(problem.space.sample(200, np.random.default_rng(9)))
    subprocess.run([sys.executable, "-c", PROGRAM, *map(str, predictions)], check=True)
    for folder, here in predictions.items():
        assert np.array_equal(np.load(folder / "prediction.npy"), np.stack([here.mean, here.std]))


def test_the_same_networks_are_not_learnt_twice(labelled: FittedPredictor, problem: Problem, tmp_path: Path) -> None:
    joined = labelled.with_trained(trained(problem, 12), seed=0)
    joined.save(tmp_path)
    again = load_predictor(tmp_path, problem.space)
    assert again.with_trained(trained(problem, 12), seed=0) is again
    assert again.with_trained(trained(problem, 13), seed=0) is not again
    assert np.array_equal(again.score(problem.codes), labelled.score(problem.codes))


def test_numbers_that_are_missing_are_named(labelled: FittedPredictor, problem: Problem, tmp_path: Path) -> None:
    labelled.save(tmp_path)
    path = tmp_path / "predictor.json"
    write_json(path, json.loads(path.read_text()) | {"trained_networks": 12})
    with pytest.raises(StoreError, match="not complete"):
        load_predictor(tmp_path, problem.space)


def test_what_cannot_be_learnt_from_is_refused(labelled: FittedPredictor, problem: Problem) -> None:
    with pytest.raises(SettingsError, match="at least 5"):
        labelled.with_trained(trained(problem, 3), seed=0)
    few = trained(problem, 12)
    with pytest.raises(SettingsError, match="labels that differ"):
        labelled.with_trained(SourceLabels(few.codes, np.ones(12)), seed=0)
    alone = labelled.settings.model_copy(update={"recipe": "labels", "steps": 2})
    without = fit_predictor(problem.space, problem.codes, problem.targets, problem.accuracy_percent, alone, 0)
    with pytest.raises(SettingsError, match="got labels"):
        without.with_trained(few, seed=0)


def test_prefixes_come_and_go() -> None:
    arrays = {"one": np.zeros(1), "two": np.ones(1)}
    assert with_prefix(prefixed(arrays, "a.") | {"b.one": np.ones(2)}, "a.").keys() == arrays.keys()

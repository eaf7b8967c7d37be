"""Stages that learn, in parts; what they make of each other is tested with whole studies."""

import re
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from unittest.mock import Mock

import numpy as np
import pytest

from surrogate_nas._processes.workers import Workers
from surrogate_nas.errors import Interrupted, RunFolderError, StoreError
from surrogate_nas.labels.store import read_labels
from surrogate_nas.predictor import predictor as fitted
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.space.load import load_space
from surrogate_nas.study.stages import learn
from surrogate_nas.study.stages.learn import (
    StudyLabels,
    baselines,
    check_stored,
    fit_predictor_to,
    label_architectures,
    predictor_inputs,
    supernet_identity,
    train_supernets,
)
from surrogate_nas.study.stages.prepare import Prepared

CONSOLE = StudyConsole(quiet=True)


@pytest.fixture
def labels(prepared: Prepared, finished: Path) -> StudyLabels:
    with Workers(1) as workers:
        return label_architectures(prepared, RunFolder(finished), workers, CONSOLE, lambda: False)


def test_what_is_done_starts_no_worker(prepared: Prepared, finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a worker was started")

    monkeypatch.setattr(Workers, "run", refuse)
    with Workers(1) as workers:
        train_supernets(prepared, RunFolder(finished), workers, CONSOLE, lambda: False)
        label_architectures(prepared, RunFolder(finished), workers, CONSOLE, lambda: False)


def test_every_drawn_architecture_has_the_label_of_its_computation(
    prepared: Prepared, finished: Path, labels: StudyLabels
) -> None:
    space, stored = prepared.space, read_labels(finished / "labels.h5")
    by_code = dict(zip(space.digits(stored.codes), stored.accuracy_percent, strict=True))
    np.testing.assert_array_equal(labels.codes, prepared.drawn)
    expected = [by_code[digits] for digits in space.digits(space.effective(labels.codes))]
    assert labels.accuracy_percent.tolist() == expected
    assert labels.evaluations == len(by_code) <= len(labels.codes)
    np.testing.assert_array_equal(stored.member, prepared.plan.member_of(stored.codes))
    assert set(stored.steps.tolist()) == {40}


def test_a_stop_that_was_asked_for_ends_the_stage(prepared: Prepared, run_copy: Path) -> None:
    folder = RunFolder(run_copy)
    folder.labels.unlink()
    with Workers(1) as workers, pytest.raises(Interrupted, match="stopped while labelling"):
        label_architectures(prepared, folder, workers, CONSOLE, lambda: True)
    shutil.rmtree(folder.supernets)
    with Workers(1) as workers, pytest.raises(Interrupted, match="stopped while training supernets"):
        train_supernets(prepared, folder, workers, CONSOLE, lambda: True)


def test_a_checkpoint_belongs_to_all_that_its_weights_follow_from(prepared: Prepared) -> None:
    known = supernet_identity(prepared, 0)
    settings = prepared.settings

    def changed(**sections: dict[str, object]) -> dict[str, str]:
        updates = {name: getattr(settings, name).model_copy(update=values) for name, values in sections.items()}
        return supernet_identity(replace(prepared, settings=settings.model_copy(update=updates)), 0)

    assert changed(supernet={"checkpoint_seconds": 9.0}) == known
    assert changed(predictor={"steps": 9}) == known
    assert changed(supernet={"steps": 9}) != known
    assert changed(data={"shift": 3}) != known
    assert supernet_identity(prepared, 1) != known
    assert supernet_identity(replace(prepared, settings=settings.model_copy(update={"seed": 9})), 0) != known


def test_what_was_kept_is_opened_before_anything_is_changed(prepared: Prepared, run_copy: Path) -> None:
    folder = RunFolder(run_copy)
    check_stored(prepared, folder)
    other = replace(prepared, settings=prepared.settings.model_copy(update={"seed": 9}))
    with pytest.raises(RunFolderError, match="was made with seed = 0, not 9"):
        check_stored(other, folder)
    folder.labels.write_bytes(folder.labels.read_bytes()[:100])
    with pytest.raises(StoreError, match=re.escape(str(folder.labels))):
        check_stored(prepared, folder)


@pytest.mark.filterwarnings("ignore:the predictor's scores do not rise")
def test_a_predictor_is_fitted_once_for_its_labels(
    prepared: Prepared, labels: StudyLabels, run_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder(run_copy)
    loaded = fit_predictor_to(prepared, labels, folder, CONSOLE, lambda: False)
    other = replace(labels, loss=1.01 * labels.loss)
    assert predictor_inputs(prepared, other) != predictor_inputs(prepared, labels)
    fit_predictor_to(prepared, other, folder, CONSOLE, lambda: False)
    # Killed while the next one is saved: what lies there is not taken for it.
    with monkeypatch.context() as patch:
        patch.setattr(fitted.FittedPredictor, "save", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            fit_predictor_to(prepared, labels, folder, CONSOLE, lambda: False)
    assert not folder.state.is_done("predictor", predictor_inputs(prepared, other))
    again = fit_predictor_to(prepared, labels, folder, CONSOLE, lambda: False)
    np.testing.assert_array_equal(again.predict(prepared.drawn).mean, loaded.predict(prepared.drawn).mean)


def test_it_is_said_where_there_are_no_zero_cost_scores() -> None:
    settings = SimpleNamespace(predictor=PredictorSettings(recipe="fusion", zero_cost=True))
    chain, console = SimpleNamespace(space=load_space("mobilenet"), settings=settings), Mock()
    assert learn._zero_cost(cast(Prepared, chain), console, lambda: False) is None
    said = "zero-cost scores: there are none for mobilenet; it has too many architectures, or cells of node choices"
    console.note.assert_called_once_with(said)


def test_baselines_are_of_the_deployed_network(prepared: Prepared) -> None:
    counts = baselines(prepared, prepared.codes)
    np.testing.assert_array_equal(counts["effective parameters"], prepared.costs["params"])
    assert (counts["parameters"] >= counts["effective parameters"]).all()
    assert counts["nonlinear functions"].max() == 3


def test_a_label_is_the_mean_over_replicas(prepared: Prepared, finished: Path, tmp_path: Path) -> None:
    supernet = prepared.settings.supernet.model_copy(update={"replicas": 2})
    settings = prepared.settings.model_copy(update={"supernet": supernet})
    twice = replace(prepared, settings=settings, plan=replace(prepared.plan, settings=supernet))
    shutil.copytree(finished / "images", tmp_path / "run" / "images")
    folder = RunFolder(tmp_path / "run")
    with Workers(1) as workers:
        train_supernets(twice, folder, workers, CONSOLE, lambda: False)
        labels = label_architectures(twice, folder, workers, CONSOLE, lambda: False)
    space, stored, single = prepared.space, read_labels(folder.labels), read_labels(finished / "labels.h5")
    members = prepared.plan.members
    assert set(stored.member.tolist()) == set(range(2 * members))
    loss_of = {
        (digits, int(member) // members): loss
        for digits, member, loss in zip(space.digits(stored.codes), stored.member, stored.loss, strict=True)
    }
    # The first replica is the supernet without replicas; the second is another one.
    once = dict(zip(space.digits(single.codes), single.loss, strict=True))
    assert {digits: loss_of[digits, 0] for digits in once} == once
    assert all(loss_of[digits, 1] != loss for digits, loss in once.items())
    effective = space.digits(space.effective(labels.codes))
    np.testing.assert_allclose(labels.loss, [(loss_of[d, 0] + loss_of[d, 1]) / 2 for d in effective])
    assert labels.evaluations == len(once)

"""Training of the sub-supernets as a stage; what follows from it is tested with whole studies."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from surrogate_nas._processes.local_workers import LocalWorkers
from surrogate_nas.errors import Interrupted, RunFolderError
from surrogate_nas.study.findings import Findings
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run
from surrogate_nas.study.stages.supernets import TrainSupernets, train_supernets

RunOf = Callable[..., Run]


def test_what_is_trained_starts_no_worker(
    problem: Problem, finished: Path, run_of: RunOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a worker was started")

    monkeypatch.setattr(LocalWorkers, "run", refuse)
    reused = TrainSupernets().reuse(Findings(problem), run_of(finished))
    assert reused is not None
    assert reused[Problem].plan.names == problem.plan.names
    assert train_supernets(problem, run_of(finished)).is_known


def test_a_stop_that_was_asked_for_ends_the_stage(problem: Problem, run_copy: Path, run_of: RunOf) -> None:
    run = run_of(run_copy, stop=True)
    shutil.rmtree(run.folder.supernets)
    assert TrainSupernets().reuse(Findings(problem), run) is None
    with pytest.raises(Interrupted, match="stopped while training supernets"):
        train_supernets(problem, run)


def test_checkpoints_are_opened_before_anything_is_changed(problem: Problem, finished: Path, run_of: RunOf) -> None:
    stage, run = TrainSupernets(), run_of(finished)
    stage.check(problem, run)
    other = replace(problem, settings=problem.settings.model_copy(update={"seed": 9}))
    with pytest.raises(RunFolderError, match="was made with seed = 0, not 9"):
        stage.check(other, run)

"""The part of a worker that runs on a machine of a cluster, here without one."""

import os
import sys
from pathlib import Path

import pytest

from surrogate_nas._processes.cluster_machine import RayMachine, versions
from surrogate_nas.errors import StoreError
from tests._processes.worker_tasks import Report, Stopped


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RayMachine:
    monkeypatch.chdir(Path.cwd())
    monkeypatch.setattr(sys, "path", [*sys.path])
    return RayMachine(str(tmp_path), ["", "/somewhere", *sys.path])


def test_it_works_where_the_study_was_started_and_finds_its_modules(machine: RayMachine, tmp_path: Path) -> None:
    assert Path.cwd() == tmp_path
    assert sys.path[-1] == "/somewhere"
    assert "" not in sys.path[1:]
    assert machine.progress() == 0
    assert RayMachine(os.fspath(tmp_path / "missing"), []).progress() == 0


def test_other_versions_and_missing_folders_are_refused_by_name(machine: RayMachine, tmp_path: Path) -> None:
    assert machine.refusal(versions(), tmp_path) is None
    refusal = machine.refusal(versions() | {"surrogate_nas": "0.0"}, tmp_path)
    assert refusal is not None
    assert "surrogate_nas is" in refusal
    assert "and 0.0 here" in refusal
    refusal = machine.refusal(versions(), tmp_path / "study.toml")
    assert refusal is not None
    assert "does not see" in refusal


def count(job: int, report: Report, stopped: Stopped) -> bool:
    report(job)
    return stopped()


def fail(job: int, report: Report, stopped: Stopped) -> None:
    report(job)
    raise StoreError("damaged")


def test_results_errors_and_progress_come_back_and_a_stop_counts_for_its_runs(machine: RayMachine) -> None:
    assert machine.work(count, 7, 1) == (False, None, 7)
    assert machine.progress() == 7
    result, error, progress = machine.work(fail, 3, 1)
    assert (result, type(error), str(error), progress) == (None, StoreError, "damaged", 3)
    machine.stop(2)
    machine.stop(1)
    assert machine.work(count, 1, 2)[0] is True
    assert machine.work(count, 1, 3)[0] is False

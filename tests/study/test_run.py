"""A whole study: what it writes, that one seed gives one answer, and that nothing but time is lost by killing it."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import h5py
import numpy as np
import pyarrow.parquet as pq
import pytest

from surrogate_nas.errors import Interrupted, SettingsError
from surrogate_nas.labels.store import read_labels
from surrogate_nas.lookup.table import LookupTable
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.study_file import read_study
from surrogate_nas.study.ask.request import Request
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.run import STAGES, _lasting, check_stages, run_stages, run_study
from surrogate_nas.study.running import Run as InProgress

KILLER = Path(__file__).with_name("killer.py")
RunHere = Callable[..., tuple[int, str, str]]
Contents = Callable[[Path], dict[str, bytes]]
# In the order of the stages; see killer.py.
POINTS = (
    "reading images,beginning,keeping images,keeping costs,supernets,labels,predictor,keeping predictor,search,"
    "finalists,lookup table,best,report"
)
FEW_POINTS = "keeping images,supernets,labels,search,best"


def answer(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "best" / "architecture.json").read_text(encoding="utf-8"))
    return content


def assert_same_results(one: Path, other: Path) -> None:
    """Asserts the same labels, lookup table, architecture and trials."""
    with h5py.File(one / "labels.h5") as first, h5py.File(other / "labels.h5") as second:
        assert set(first) == set(second)
    mine, theirs = read_labels(one / "labels.h5"), read_labels(other / "labels.h5")
    order, their_order = np.lexsort(mine.codes.T), np.lexsort(theirs.codes.T)
    for name in ("codes", "accuracy_percent", "loss", "member", "steps"):
        np.testing.assert_array_equal(getattr(mine, name)[order], getattr(theirs, name)[their_order])
    assert (one / "lookup.csv").read_bytes() == (other / "lookup.csv").read_bytes()
    assert pq.read_table(one / "lookup.parquet").equals(pq.read_table(other / "lookup.parquet"))
    assert answer(one) == answer(other)
    assert len((one / "search.journal").read_text().splitlines()) == len(
        (other / "search.journal").read_text().splitlines()
    )


def test_torchrun_is_refused_with_the_setting_that_takes_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with (
        StudyConsole(quiet=True) as console,
        pytest.raises(SettingsError, match=r"torchrun starts no study: .*compute\.processes_per_supernet=N"),
    ):
        run_study(cast(Request, None), console, lambda: False)  # before it looks at what is asked


# What is written


def test_every_file_of_the_run_folder_is_there(finished: Path) -> None:
    names = {path.name for path in finished.iterdir() if not path.name.startswith(".")}
    assert names == {
        "study.toml",
        "environment.json",
        "space.toml",
        "images",
        "supernets",
        "labels.h5",
        "predictor",
        "costs.parquet",
        "search.journal",
        "lookup.parquet",
        "lookup.csv",
        "lookup.json",
        "answers.json",
        "plots",
        "artifacts",
        "best",
        "report.html",
        "report.json",
        "log.txt",
        "state.json",
    }
    assert {path.name for path in (finished / "supernets").iterdir()} == {
        "member-0.safetensors",
        "member-1.safetensors",
    }


def test_report_table_and_architecture_agree(finished: Path) -> None:
    report = json.loads((finished / "report.json").read_text(encoding="utf-8"))
    chosen, best = report["answer"]["chosen"], answer(finished)
    table = LookupTable.load(finished)
    assert chosen["digits"] == best["code"] == table.metadata.answer
    (row,) = [row for row in pq.read_table(finished / "lookup.parquet").to_pylist() if row["code"] == best["code"]]
    assert row["architecture"] == best["architecture"] == chosen["architecture"]
    assert chosen["accuracy_percent"]["value"] == pytest.approx(row["predicted_accuracy_percent"])
    assert best["predicted_accuracy_percent"] == pytest.approx(row["predicted_accuracy_percent"], abs=1e-4)
    for cost in chosen["costs"]:
        # What was measured takes the place of what was predicted.
        known = cost["predicted"] if cost["measured"] is None or cost["noisy"] else cost["measured"]
        assert known == pytest.approx(row[cost["cost"]]) == pytest.approx(best["costs"][cost["cost"]])
    (latency,) = [cost for cost in chosen["costs"] if cost["cost"] == "latency_ms"]
    assert latency["measured"] == best["measured_latency_ms"]
    assert latency["budget"] == best["budgets"]["latency_ms"] == table.metadata.budgets["latency_ms"]
    assert latency["predicted"] <= latency["budget"]
    assert report["answer"]["outcome"] == best["outcome"]
    assert report["trust"]["labels"]["architectures"] == 40
    assert [stage["name"] for stage in report["made"]["stages"]] == [
        "supernets",
        "labels",
        "predictor",
        "search",
        "finalists",
    ]


def test_the_best_within_the_budget_was_chosen(finished: Path) -> None:
    best, rows = answer(finished), pq.read_table(finished / "lookup.parquet").to_pylist()
    within = [row for row in rows if all(row[cost] <= limit for cost, limit in best["budgets"].items())]
    finalists = json.loads((finished / "report.json").read_text(encoding="utf-8"))["answer"]["finalists"]
    assert finalists[0]["digits"] == best["code"]
    (chosen,) = [row for row in rows if row["code"] == best["code"]]
    assert chosen["score"] == pytest.approx(max(row["score"] for row in within))


def test_labels_stand_in_the_lookup_table(finished: Path) -> None:
    labels = read_labels(finished / "labels.h5")
    rows = pq.read_table(finished / "lookup.parquet").to_pylist()
    labelled = [row["label_accuracy_percent"] for row in rows if row["label_accuracy_percent"] is not None]
    assert len(labelled) == 40
    assert set(np.round(labelled, 9)) == set(np.round(labels.accuracy_percent, 9))


def test_a_number_of_processes_that_nobody_asked_for_is_of_one_machine() -> None:
    settings = read_study("quickstart", {"hardware.remeasure": True, "compute.processes": 3})
    for asked in (None, 3):
        lasting = _lasting(settings, asked)
        assert (lasting.compute.processes, lasting.hardware.remeasure) == (asked, False)


# One seed, one answer


@pytest.mark.slow
def test_the_resolved_study_repeats_the_study(finished: Path, tmp_path: Path, here: RunHere) -> None:
    code, _, _ = here(finished / "study.toml", "--output-dir", tmp_path / "run", "--set", "compute.processes=1", "-q")
    assert code == 0
    assert_same_results(tmp_path / "run", finished)


@pytest.mark.slow
def test_another_seed_gives_other_labels(
    finished: Path, tiny: Path, faster: tuple[str, ...], tmp_path: Path, here: RunHere
) -> None:
    assert here(tiny, "--output-dir", tmp_path / "run", "--seed", 1, *faster, "-q")[0] == 0
    mine, theirs = read_labels(tmp_path / "run" / "labels.h5"), read_labels(finished / "labels.h5")
    assert not np.array_equal(mine.codes, theirs.codes)
    assert set(mine.seed) == {1}


# Killed and resumed


def kill(report: Path, points: str, *words: object, **variables: str) -> int:
    """Kills a study at one point after another, and gives the number of its workers, which have ended with it."""
    line = [sys.executable, str(KILLER), str(report), points, *map(str, words)]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"} | variables
    done = subprocess.run(line, capture_output=True, text=True, check=True, env=environment)
    happened: list[dict[str, Any]] = json.loads(done.stderr.splitlines()[-1])
    assert [(one["point"], one["hit"], one["code"]) for one in happened] == [
        (point, True, -signal.SIGKILL) for point in points.split(",")
    ]
    assert [one["outlived"] for one in happened] == [[]] * len(happened)
    return sum(one["workers"] for one in happened)


@pytest.mark.posix
@pytest.mark.slow
@pytest.mark.parametrize("points", [FEW_POINTS, pytest.param(POINTS, id="all")])
def test_a_study_killed_in_its_stages_ends_like_one_that_was_not(
    points: str, finished: Path, tiny: Path, budgets: tuple[str, ...], tmp_path: Path, here: RunHere
) -> None:
    folder = tmp_path / "run"
    words = (tiny, "--output-dir", folder, *budgets, "--set", "compute.processes=1", "--resume")
    if points == POINTS:
        # Nothing is measured yet where this cache is; what a killed measurement leaves is nothing.
        kill(tmp_path / "workers", "measuring costs", *words, SURROGATE_NAS_CACHE=str(tmp_path / "cache"))
    assert kill(tmp_path / "workers", points, *words) >= 2
    code, _, _ = here("--output-dir", folder, "--resume", "--quiet")
    assert code == 0
    assert_same_results(folder, finished)
    left = [path.name for path in folder.rglob(".*") if not path.name.endswith((".lock", ".guard"))]
    assert left == []


# Interrupted and resumed


def test_no_stage_begins_once_a_stop_was_asked_for(
    problem: Problem, finished: Path, run_of: Callable[..., InProgress]
) -> None:
    with pytest.raises(Interrupted, match="stopped before supernets"):
        run_stages(problem, run_of(finished, stop=True))


def test_what_is_checked_before_the_first_stage_is_every_stage_s(
    problem: Problem, run_of: Callable[..., InProgress], run_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    for stage in STAGES:
        monkeypatch.setattr(type(stage), "check", lambda self, *_: checked.append(self.name))
    check_stages(problem, run_of(run_copy))
    assert checked == [stage.name for stage in STAGES]


def interrupted(report: Path, point: str, *words: object) -> subprocess.Popen[str]:
    """Returns the study command, which a worker of its own interrupts."""
    line = [sys.executable, str(KILLER.with_name("interrupted.py")), str(report), point, *map(str, words)]
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
@pytest.mark.posix
def test_an_interrupt_saves_and_names_the_command_that_goes_on(
    finished: Path, tiny: Path, budgets: tuple[str, ...], tmp_path: Path, here: RunHere
) -> None:
    folder = tmp_path / "my run"
    words = (tiny, "--output-dir", folder, *budgets, "--set", "compute.processes=1")
    process = interrupted(tmp_path / "worker", "interrupt", *words)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    first, last = errors.splitlines()[-2:]
    assert first == "warning: stopping: what is done is being saved; press Ctrl-C again to stop at once"
    assert last == (
        "warning: stopped while training supernets; continue with:"
        f" python -m surrogate_nas.study --output-dir '{folder}' --resume"
    )
    assert "Traceback" not in errors
    state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    assert state["stages"]["supernets"]["finished"] is None
    assert not (folder / "labels.h5").exists()
    code, _, errors = here("--output-dir", folder, "--resume")
    assert code == 0
    assert "supernets (2 x 40 steps)" in errors
    assert_same_results(folder, finished)
    again = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    assert again["stages"]["supernets"]["seconds"] > state["stages"]["supernets"]["seconds"]


@pytest.mark.slow
@pytest.mark.posix
def test_a_second_interrupt_stops_at_once(tiny: Path, tmp_path: Path) -> None:
    words = (tiny, "--output-dir", tmp_path / "run", "--set", "compute.processes=1")
    process = interrupted(tmp_path / "worker", "interrupt and hang", *words)
    assert process.stderr is not None
    for line in process.stderr:
        if "press Ctrl-C again" in line:
            break
    process.send_signal(signal.SIGINT)
    # The worker sleeps for an hour: a process that waits for it comes to no end of its own.
    patience = threading.Timer(120, process.kill)
    patience.start()
    rest = process.stderr.read()
    assert process.wait() == 130
    patience.cancel()
    assert rest.splitlines()[-1].startswith("warning: stopped at once; continue with: python -m surrogate_nas.study")
    assert "Traceback" not in rest
    worker = int((tmp_path / "worker").read_text(encoding="utf-8"))
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)

"""Runs are continued, replaced, or left untouched because they are another's."""

import json
import os
import signal
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow.parquet as pq
import pytest
from filelock import FileLock

from surrogate_nas.runs.run_folder import RunFolder
from tests.study.command_words import error_line

RunHere = Callable[..., tuple[int, str, str]]
Contents = Callable[[Path], dict[str, bytes]]


def chosen_without_latency(run: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run / "best" / "architecture.json").read_text(encoding="utf-8"))
    costs = {cost: value for cost, value in content["costs"].items() if cost != "latency_ms"}
    return {**content, "costs": costs, "measured_latency_ms": None, "checksum": None}


def test_resuming_without_a_change_gives_the_same(run_copy: Path, here: RunHere, contents: Contents) -> None:
    before, chosen = contents(run_copy), chosen_without_latency(run_copy)
    code, _, errors = here("--output-dir", run_copy, "--resume")
    assert code == 0
    after = contents(run_copy)
    # What says when and how long may differ, and so may the page that shows it.
    told = {"state.json", "report.json", "report.html", "environment.json", "search.journal"}
    # A busy machine measures a finalist again, and its latency with it.
    assert chosen_without_latency(run_copy) == chosen
    told |= {"best/architecture.json"} if after["best/architecture.json"] != before["best/architecture.json"] else set()
    other = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert {name for name in other if not name.startswith("artifacts/")} <= told
    # The search's note has the last command, and its copy of the report replaces the one before.
    assert len(other) <= len(told) + 1
    for line in ("supernets: already trained", "labels: all ", "predictor: already fitted"):
        assert line in errors
    assert "supernets (2 x 40 steps)" not in errors


def test_another_budget_neither_trains_nor_labels(run_copy: Path, here: RunHere) -> None:
    kept = [run_copy / name for name in ("supernets", "labels.h5", "predictor", "images", "costs.parquet")]
    before = [path.stat().st_mtime_ns for path in kept]
    state = json.loads((run_copy / "state.json").read_text(encoding="utf-8"))["stages"]
    chosen = json.loads((run_copy / "best" / "architecture.json").read_text(encoding="utf-8"))
    code, _, errors = here("--output-dir", run_copy, "--resume", "--flops-budget", "5%")
    assert code == 0
    assert [path.stat().st_mtime_ns for path in kept] == before
    assert "supernets: already trained" in errors
    again = json.loads((run_copy / "state.json").read_text(encoding="utf-8"))["stages"]
    assert again["predictor"] == state["predictor"]
    assert again["supernets"]["seconds"] == pytest.approx(state["supernets"]["seconds"], abs=1)
    other = json.loads((run_copy / "best" / "architecture.json").read_text(encoding="utf-8"))
    assert other["budgets"]["flops"] < chosen["budgets"]["flops"]
    assert other["costs"]["flops"] <= other["budgets"]["flops"]
    assert tomllib.loads((run_copy / "study.toml").read_text(encoding="utf-8"))["budget"]["flops"] == "5%"


@pytest.mark.slow
def test_more_labels_and_another_predictor_keep_what_was_labelled(run_copy: Path, here: RunHere) -> None:
    words = ("--set", "labels.count=44", "--set", "predictor.steps=10", "--set", "compute.processes=1")
    with h5py.File(run_copy / "labels.h5") as file:
        before = file["accuracy_percent"][:]
    code, _, errors = here("--output-dir", run_copy, "--resume", *words)
    assert code == 0
    assert "supernets: already trained" in errors
    assert "predictor ..." in errors
    with h5py.File(run_copy / "labels.h5") as file:
        after = file["accuracy_percent"][:]
    assert len(before) < len(after)
    np.testing.assert_array_equal(after[: len(before)], before)


def test_a_folder_that_is_in_use_or_holds_something_is_left_alone(
    finished: Path, tiny: Path, tmp_path: Path, here: RunHere, contents: Contents
) -> None:
    before = contents(finished)
    assert "already holds a run: continue it with --resume" in error_line(here(tiny, "--output-dir", finished)[2])
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "study.toml").write_text("seed = 1", encoding="utf-8")
    (tmp_path / "other" / "images").mkdir()
    for flag in ([], ["--resume"], ["--overwrite"]):
        code, _, errors = here(tiny, "--output-dir", tmp_path / "other", *flag)
        assert code == 2
        assert "is not empty and holds no run" in error_line(errors)
    assert {path.name for path in (tmp_path / "other").iterdir()} == {"study.toml", "images"}
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    for place in ("file", "file/below"):
        code, _, errors = here(tiny, "--output-dir", tmp_path / place, "--overwrite")
        assert code == 2
        assert "choose another --output-dir" in error_line(errors)
    assert "exclude each other" in error_line(here(tiny, "--resume", "--overwrite", "--output-dir", finished)[2])
    code, _, errors = here("--resume", "--output-dir", tmp_path / "nothing")
    assert code == 2
    assert "holds no run to continue" in error_line(errors)
    assert not (tmp_path / "nothing").exists()
    assert contents(finished) == before


# Settings that a run cannot change


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--seed", 1], "seed = 0, not 1"),
        (["--set", "supernet.steps=50"], "supernet.steps = 40, not 50"),
        (["--set", "supernet.groups=3"], "supernet.groups = 2, not 3"),
        (["--set", "network.channels=8"], "network.channels = 4, not 8"),
        (["--set", "data.image_size=12"], "data.image_size = nothing, not 12"),
        (["--set", "labels.validation_images=50"], "labels.validation_images = 60, not 50"),
        (["--set", "compute.threads=2"], "compute.threads = 1, not 2"),
        (["--set", "name=other"], "name = 'tiny', not 'other'"),
        (["--set", "data.source=folder", "--set", "data.path=/tmp"], "data.source = 'digits', not 'folder'"),
    ],
)
def test_resuming_refuses_another(
    words: list[object], named: str, finished: Path, here: RunHere, contents: Contents
) -> None:
    before = contents(finished)
    code, _, errors = here("--output-dir", finished, "--resume", *words)
    assert code == 2
    assert f"was started with {named}; use another --output-dir, or --overwrite" in error_line(errors)
    assert contents(finished) == before


def test_resuming_refuses_another_space_but_not_the_same_in_another_file(
    finished: Path, run_copy: Path, tmp_path: Path, here: RunHere, contents: Contents
) -> None:
    text = (finished / "space.toml").read_text(encoding="utf-8")
    changed, same = tmp_path / "changed.toml", tmp_path / "same.toml"
    changed.write_text(text.replace(', "avg_pool_3x3"]', "]"), encoding="utf-8")
    same.write_text(text, encoding="utf-8")
    before = contents(finished)
    code, _, errors = here("--output-dir", finished, "--resume", "--set", f"space={changed}")
    assert code == 2
    assert f"was started with another space than {changed}" in error_line(errors)
    assert contents(finished) == before
    assert here("--output-dir", run_copy, "--resume", "--quiet", "--set", f"space={same}")[0] == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "before", "now"),
    [pytest.param("backend", "auto", "eager", marks=pytest.mark.slow), ("precision", "float32", "int8")],
)
def test_another_back_end_or_precision_makes_costs_anew_and_trains_nothing(
    run_copy: Path, here: RunHere, name: str, before: str, now: str
) -> None:
    def latency() -> dict[str, Any]:
        described: dict[str, Any] = json.loads(pq.read_schema(folder.costs).metadata[b"surrogate_nas.costs"])
        return described

    folder = RunFolder(run_copy)
    members = [path.read_bytes() for path in sorted(folder.supernets.iterdir())]
    assert f'": "{now}"' not in json.dumps(latency())
    code, _, errors = here("--output-dir", run_copy, "--resume", "--set", f"hardware.{name}={now}")
    assert code == 0
    assert f"costs are computed again: hardware.{name} was {before} and is {now} now" in errors
    assert f'": "{now}"' in json.dumps(latency())
    assert [path.read_bytes() for path in sorted(folder.supernets.iterdir())] == members
    # The next process continues with the new costs.
    code, _, errors = here("--output-dir", run_copy, "--resume")
    assert code == 0
    assert "costs are computed again" not in errors


@pytest.mark.posix
def test_an_interrupt_before_anything_was_written_says_so(
    finished: Path, here: RunHere, contents: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr("surrogate_nas.study.run.check_stages", interrupt)
    before = contents(finished)
    for flag in ("--resume", "--overwrite"):
        code, _, errors = here(finished / "study.toml", "--output-dir", finished, flag, "--quiet")
        assert code == 130
        *_, first, last = errors.splitlines()
        assert first == "warning: stopping; press Ctrl-C again to stop at once"  # there is nothing to save yet
        assert last.startswith(
            f"warning: stopped while preparing the study; {finished} was not changed; start again with: "
            "python -m surrogate_nas.study"
        )
    assert contents(finished) == before


def test_overwriting_replaces_a_run_and_nothing_else(run_copy: Path, tiny: Path, here: RunHere) -> None:
    (run_copy / "notes.txt").write_text("mine", encoding="utf-8")
    words = ("--output-dir", run_copy, "--overwrite", "--params-budget", "1K")
    assert here(tiny, *words, "--quiet")[0] == 3
    assert {path.name for path in run_copy.iterdir() if not path.name.startswith(".")} == {
        "notes.txt",
        "study.toml",
        "environment.json",
        "space.toml",
        "images",
        "costs.parquet",
        "report.json",
        "report.html",
        "log.txt",
    }


def test_a_folder_in_which_a_study_runs_is_left_to_it(run_copy: Path, here: RunHere, contents: Contents) -> None:
    before = contents(run_copy)
    with FileLock(run_copy / ".lock"):
        for flag in ("--resume", "--overwrite"):
            code, _, errors = here("quickstart", "--output-dir", run_copy, flag)
            assert code == 2
            assert "another process is working in" in error_line(errors)
    assert contents(run_copy) == before


@pytest.mark.slow
def test_cross_validated_labels_are_made_once_and_stay_what_they_are(
    tiny: Path, budgets: tuple[str, ...], faster: tuple[str, ...], here: RunHere, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    code, _, errors = here(tiny, *budgets, *faster, "--set", "labels.folds=2", "--output-dir", folder)
    assert code == 0
    assert "labels: cross-validated over 2 folds" in errors
    facts = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert facts["trust"]["labels"]["folds"] == 2
    assert facts["trust"]["labels"]["images"] == 80  # 40 of each fold
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "80, cross-validated over 2 folds" in page
    code, _, errors = here("--output-dir", folder, "--resume")
    assert code == 0
    assert "supernets: already trained" in errors
    assert "labels: all " in errors
    code, _, errors = here("--output-dir", folder, "--resume", "--set", "labels.folds=3")
    assert code == 2
    assert "labels.folds" in error_line(errors)

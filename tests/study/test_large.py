"""A study on a space too large to enumerate: its files, other samplers, and no change by killing it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from surrogate_nas.lookup.table import LookupTable
from surrogate_nas.space.load import load_space

KILLER = Path(__file__).with_name("killer.py")
RunQuietly = Callable[..., str]
RunHere = Callable[..., tuple[int, str, str]]
# 4,782,969 networks of 14 small layers.
SPACE = """\
name = "long"
kind = "chain"
operations = ["identity", "mbconv_k3_e1", "mbconv_k3_e2_se"]

[[before]]
layer = "conv_bn_relu_k3"
width = 4

[[stages]]
layers = 14
width = 4

[network]
image_size = 8
"""
SETTINGS = (
    *("--flops-budget", "5%", "--also-budget", "params=20%", "--set", "network.channels=none"),
    *("--set", "pool.draws=300", "--set", "pool.kept=20", "--set", "pool.steps=2"),
    *("--set", 'supernet.split="none"', "--set", "supernet.steps=20", "--set", "labels.count=40"),
    *("--set", "compute.processes=1"),
)


@pytest.fixture(scope="module")
def words(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[object, ...]:
    """Returns the command line of the study, but for its folder."""
    path = tmp_path_factory.mktemp("spaces") / "long.toml"
    path.write_text(SPACE, encoding="utf-8")
    assert not load_space(str(path)).listable
    return (tiny, "--set", f'space="{path}"', *SETTINGS)


def answer(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "best" / "architecture.json").read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="module")
def large_run(
    words: tuple[object, ...], run_quietly: RunQuietly, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """Returns the run folder and what was printed."""
    folder = tmp_path_factory.mktemp("large") / "run"
    return folder, run_quietly(*words, "--output-dir", folder)


@pytest.mark.slow
def test_every_output_is_there_and_says_that_it_is_a_part(large_run: tuple[Path, str]) -> None:
    folder, said = large_run
    for name in ("labels.h5", "costs.parquet", "search.journal", "lookup.csv", "report.html", "answers.json", "plots"):
        assert (folder / name).exists(), name
    assert "medians and shares of 300 random" in " ".join(said.split())
    table = LookupTable.load(folder)
    assert not table.metadata.complete
    assert 300 < len(table) < 5000
    assert "300 drawn to stand for all" in (folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_answer_keeps_its_budget_and_beats_the_draws(large_run: tuple[Path, str]) -> None:
    folder, _ = large_run
    table, best = LookupTable.load(folder), answer(folder)
    limit = best["budgets"]["flops"]
    assert best["costs"]["flops"] <= limit
    assert table.best(flops=limit).score >= best["predicted_accuracy_percent"] - 1e-3
    space = load_space(str(folder / "space.toml"))
    first, last = space.digits([[0] * 14, [2] * 14])
    everything = [table.entry(row) for row in range(len(table))]
    assert min(everything, key=lambda one: one.costs["flops"]).code == first
    assert max(everything, key=lambda one: one.costs["flops"]).code == last
    answers = json.loads((folder / "answers.json").read_text())["answers"]
    assert all(one["code"] is not None for one in answers)


@pytest.mark.posix
@pytest.mark.slow
def test_killed_in_every_stage_it_ends_alike(
    large_run: tuple[Path, str], words: tuple[object, ...], tmp_path: Path, here: RunHere
) -> None:
    folder, points = tmp_path / "run", "keeping costs,labels,keeping predictor,search,lookup table"
    line = [sys.executable, str(KILLER), str(tmp_path / "workers"), points, *map(str, words)]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*line, "--output-dir", str(folder), "--resume"], capture_output=True, text=True, check=True, env=environment
    )
    happened = json.loads(done.stderr.splitlines()[-1])
    assert [(one["point"], one["code"]) for one in happened] == [(at, -signal.SIGKILL) for at in points.split(",")]
    code, _, errors = here("--output-dir", folder, "--resume", "--quiet")
    assert code == 0, errors
    assert (folder / "lookup.csv").read_bytes() == (large_run[0] / "lookup.csv").read_bytes()
    assert answer(folder) == answer(large_run[0])


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["segments", "evolution"])
def test_other_samplers_leave_what_they_tried_in_the_table(
    words: tuple[object, ...], sampler: str, tmp_path: Path, here: RunHere
) -> None:
    few = ("--set", f'search.sampler="{sampler}"', "--set", "segments.scored=20000", "--set", "pool.steps=0")
    code, out, errors = here(*words, *few, "--output-dir", tmp_path / "run")
    assert code == 0, errors
    table, best = LookupTable.load(tmp_path / "run"), answer(tmp_path / "run")
    assert best["code"] in {table.entry(row).code for row in range(len(table))}
    if sampler == "segments":
        assert "segments: 2, " in errors
        with h5py.File(tmp_path / "run" / "labels.h5") as labels:
            assert len(labels) > 0
    assert "Budget met" in out
    assert np.isfinite(table.column("score")).all()

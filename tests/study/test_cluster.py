"""Studies on a Ray cluster: the same answer as on one machine, and a cluster that goes away."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.ray_cluster import begun_cluster
from tests.fixtures.tiny_study import Run

pytestmark = [pytest.mark.slow, pytest.mark.posix]


def test_a_cluster_gives_the_same_table(
    tiny: Path,
    budgets: tuple[str, ...],
    command: Run,
    finished: Path,
    ray_cluster: Any,  # noqa: ANN401 - Ray is an optional package
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", ray_cluster.address)
    done = command(tiny, "--output-dir", tmp_path / "run", *budgets, "--cluster", "auto")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "lookup.csv").read_bytes() == (finished / "lookup.csv").read_bytes()
    assert "processes of a Ray cluster" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("on_another", [False, True])
def test_a_study_whose_cluster_goes_away_ends_in_a_line_and_goes_on(
    tiny: Path,
    budgets: tuple[str, ...],
    command: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    on_another: bool,
) -> None:
    """It continues on this machine alone, or on a cluster that was started again."""
    pytest.importorskip("ray")
    cluster = begun_cluster(2)
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    words = [str(tiny), "--output-dir", str(tmp_path / "run"), *budgets, "--set", "supernet.steps=4000"]
    line = [sys.executable, "-m", "surrogate_nas.study", *words, "--cluster", "auto"]
    study = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 400
        while not list((tmp_path / "run" / "supernets").glob("*.safetensors")):
            assert time.monotonic() < deadline
            assert study.poll() is None
            time.sleep(0.1)
    finally:
        cluster.shutdown()
    _, said = study.communicate(timeout=180)
    assert "Traceback" not in said
    assert study.returncode != 0  # Ray ends a process whose machine it lost
    if not on_another:
        done = command(*words, "--resume", "--set", "compute.cluster=")
        assert done.returncode == 0, done.stderr
        return
    cluster = begun_cluster(2)
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    try:
        done = command(*words, "--resume", "--cluster", "auto")
        assert done.returncode == 0, done.stderr
    finally:
        cluster.shutdown()

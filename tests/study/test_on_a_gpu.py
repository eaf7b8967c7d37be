"""A whole study on a GPU: trainings and latency there, the final training, and the same again."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from surrogate_nas.cli.train import main as train

pytestmark = pytest.mark.gpu
Here = Callable[..., tuple[int, str, str]]
GPU = ("--set", "compute.device=cuda", "--set", "hardware.device=cuda")


def test_it_ends_with_a_model_and_writes_the_same_table_again(
    tiny: Path, budgets: tuple[str, ...], here_with_workers: Here, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    more = ("--set", "loop.trainings=2", "--set", "predictor.zero_cost=true")
    code, _, err = here_with_workers(tiny, "--output-dir", folder, *budgets, *GPU, *more)
    assert code == 0, err
    table = (folder / "lookup.csv").read_bytes()
    (folder / "lookup.csv").unlink()
    assert here_with_workers("--output-dir", folder, "--resume")[0] == 0
    assert (folder / "lookup.csv").read_bytes() == table
    assert train([str(folder), "--compute-device", "cuda", "--epochs", "2"]) == 0
    assert "accuracy" in json.dumps(json.loads((folder / "best" / "model.json").read_text()))


def test_two_runs_give_the_same_architecture(
    tiny: Path, budgets: tuple[str, ...], here_with_workers: Here, tmp_path: Path
) -> None:
    """Only costs that are counted: measured latencies differ between runs on any machine."""
    tables = []
    for name in ("one", "two"):
        words = (tiny, "--output-dir", tmp_path / name, *budgets[2:], "--set", "compute.device=cuda")
        code, _, err = here_with_workers(*words)
        assert code == 0, err
        tables.append((tmp_path / name / "lookup.csv").read_text())
    assert tables[0] == tables[1]

"""The benchmark of new devices, on made-up ones."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.latency_tables import LAYERS
from benchmarks.transfer import main


@pytest.fixture
def table(tmp_path: Path) -> Path:
    codes = np.unique(np.random.default_rng(0).integers(0, 3, (300, 5)), axis=0)
    devices = {"a": (0.1, 1, 2), "b": (0.1, 2, 1), "new": (0.2, 1.4, 1.7)}
    columns = [1 + np.array(one)[codes].sum(axis=1) for one in devices.values()]
    rows = [",".join(["code", *devices])]
    rows += [
        "".join(map(str, c)) + "".join(f",{v:.4f}" for v in values) for c, *values in zip(codes, *columns, strict=True)
    ]
    path = tmp_path / "table.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def test_a_row_per_target_beside_baselines(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--table", str(table), "--space", LAYERS, "--sources", "a,b", "--targets", "new", "--draws", "2"]
    assert main([*words, "--json"]) == 0
    [row] = json.loads(capsys.readouterr().out)
    assert row["device"] == "new"
    assert row["spearman"] > 0.98
    assert row["help_paper"] is None
    assert set(row) >= {"kendall_tau", "median_relative_error", "budgets_kept", "ridge_10_random", "ridge_100_random"}
    assert main(words) == 0
    assert "mean" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--sources", "a", "--targets", "a"], "a target must not be among the sources"),
        (["--sources", "a", "--targets", "new", "--measured", "1"], "--measured must be between 2 and"),
        (["--sources", "z", "--targets", "new"], "unknown device 'z'"),
    ],
)
def test_impossible_requests_are_one_line(
    table: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert main(["--table", str(table), "--space", LAYERS, *words]) == 2
    assert message in capsys.readouterr().err

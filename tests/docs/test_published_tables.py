"""The scripts that convert published tables, as they are printed, on made-up files of the same layout."""

import csv
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from surrogate_nas.hardware.tables.full import TableLatency
from surrogate_nas.space.load import load_space

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / "published-tables.md").read_text(encoding="utf-8")
SCRIPTS = dict(re.findall(r"`(\w+\.py)`:\n```python\n(.*?)```", TEXT, re.DOTALL))
SPACE = load_space("nasbench201")
ARCHES = [SPACE.format(code) for code in SPACE.all_codes()]
LATENCY = np.linspace(1, 5, len(ARCHES))


def run(folder: Path, name: str, source: Path) -> "subprocess.CompletedProcess[str]":
    (folder / name).write_text(SCRIPTS[name])
    command = [sys.executable, str(folder / name), str(source), str(folder / "table.csv")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def holds_the_latencies(folder: Path, device: str) -> None:
    table = TableLatency(SPACE, folder / "table.csv", device)
    np.testing.assert_allclose(table.evaluate(SPACE.all_codes())["latency_ms"], LATENCY)


@pytest.mark.slow
def test_hw_nas_bench_becomes_a_table(tmp_path: Path) -> None:
    metrics = {"raspi4_latency": LATENCY.tolist(), "fpga_latency": LATENCY.tolist(), "fpga_energy": LATENCY.tolist()}
    made = {"nasbench201": {"cifar10": {"config": [{"arch_str": arch} for arch in ARCHES], **metrics}}}
    (tmp_path / "b.pickle").write_bytes(pickle.dumps(made))
    assert run(tmp_path, "hw_nas_bench.py", tmp_path / "b.pickle").returncode == 0
    holds_the_latencies(tmp_path, "raspi4")
    assert TableLatency(SPACE, tmp_path / "table.csv", "fpga").names == ("latency_ms", "energy_mj")


class Harmful:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("harm",)


def test_what_would_run_a_program_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "b.pickle").write_bytes(pickle.dumps({"nasbench201": Harmful()}))
    result = run(tmp_path, "hw_nas_bench.py", tmp_path / "b.pickle")
    assert result.returncode == 1
    assert "mkdir: it is not plain data, and was not read" in result.stderr
    assert not (tmp_path / "table.csv").exists()


@pytest.mark.slow
def test_help_becomes_a_table(tmp_path: Path) -> None:
    (tmp_path / "latency").mkdir()
    order = np.random.default_rng(0).permutation(len(ARCHES))
    torch.save({ARCHES[place]: row for row, place in enumerate(order)}, tmp_path / "str_arch2idx.pt")
    torch.save(LATENCY[order].tolist(), tmp_path / "latency" / "pixel3.pt")
    assert run(tmp_path, "help_tables.py", tmp_path).returncode == 0
    holds_the_latencies(tmp_path, "pixel3")
    with (tmp_path / "table.csv").open(newline="") as file:
        assert next(csv.reader(file)) == ["arch", "pixel3"]

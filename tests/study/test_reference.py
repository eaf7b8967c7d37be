"""A study gives what it gave in the version of the reference, to the last bit on a processor of the same kind."""

import hashlib
import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from surrogate_nas.labels.store import read_labels
from surrogate_nas.ranking import kendall_tau
from surrogate_nas.space.load import load_space
from tests.conftest import REPOSITORY
from tests.fixtures.tiny_study import Run

REFERENCE: dict[str, Any] = json.loads((REPOSITORY / "tests" / "assets" / "reference_study.json").read_text())
SETTINGS = (
    "space=nasbench201",
    "network.channels=16",
    "network.cells=1",
    "supernet.preset=oneshot",  # the default of that version
    "supernet.channels=8",
    "supernet.replicas=1",
    "data.max_images=600",
    "supernet.steps=150",
    "labels.count=60",
    "labels.validation_images=120",
    "predictor.steps=60",
    "predictor.ensemble=2",
    "predictor.folds=2",
)


def processor() -> str:
    """Returns vendor and family of the processor, which decide the order of sums in torch's kernels."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    facts = dict([part.strip() for part in line.split(":", 1)] for line in reversed(lines) if ":" in line)
    return f"{facts.get('vendor_id')} {facts.get('cpu family')}"


def made_here() -> dict[str, str]:
    return {
        "capability": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__.split("+")[0],
        "processor": processor(),
    }


@pytest.fixture(scope="module")
def run_folder(command: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the run folder of the reference study: a made-up latency for every architecture, exact in binary."""
    folder = tmp_path_factory.mktemp("reference")
    space = load_space("nasbench201")
    codes = space.all_codes()
    values = (space.flops(codes, space.network) // 1000 % 4096 + 64) / 256
    lines = [f"{code},{value!r}" for code, value in zip(space.digits(codes), values.tolist(), strict=True)]
    (folder / "phone.csv").write_text("code,phone\n" + "\n".join(lines) + "\n")
    words = ["--seed", 0, "--latency-table", folder / "phone.csv", "--device", "phone", "--latency-budget", "40%"]
    settings = [word for setting in SETTINGS for word in ("--set", setting)]
    done = command("quickstart", *words, *settings, "--output-dir", folder / "run", "--quiet")
    assert done.returncode == 0, done.stderr
    return folder / "run"


@pytest.mark.slow  # and skipped in the end on most machines
def test_lookup_table_labels_and_winner_are_those_of_the_reference(run_folder: Path) -> None:
    space = load_space("nasbench201")
    labels = read_labels(run_folder / "labels.h5")
    codes = space.digits(labels.codes)  # in the order in which worker processes finished
    assert sorted(codes) == sorted(REFERENCE["labels"])
    accuracy, loss = np.array([REFERENCE["labels"][code] for code in codes]).T
    if made_here() != REFERENCE["made_on"]:
        # Another processor adds in another order, and training makes a difference of one bit a large one.
        assert kendall_tau(labels.accuracy_percent, accuracy) > 0.3
        pytest.skip(f"labels are nearly equal; to the bit they are compared on {REFERENCE['made_on']} only")
    assert np.array_equal(labels.accuracy_percent, accuracy)
    assert np.array_equal(labels.loss, loss)
    assert json.loads((run_folder / "best" / "architecture.json").read_text())["code"] == REFERENCE["winner"]
    assert hashlib.sha256((run_folder / "lookup.csv").read_bytes()).hexdigest() == REFERENCE["lookup_sha256"]

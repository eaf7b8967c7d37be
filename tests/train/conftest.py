"""A run folder as a finished study leaves it, made by hand in a second: digits, a tiny network, a lookup table."""

import contextlib
import io
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from surrogate_nas.data.cache import save_splits
from surrogate_nas.data.load import load_images
from surrogate_nas.definitions import find_definition
from surrogate_nas.export.onnx_model import Agreement
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.lookup.metadata import TableMetadata
from surrogate_nas.lookup.table import LookupTable
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.study.read_study import read_study, write_study
from surrogate_nas.supernet.checkpoint import Checkpoint, save_checkpoint
from surrogate_nas.supernet.plan import make_plan
from surrogate_nas.train.__main__ import main
from surrogate_nas.train.outcome import Accuracy, Outcome, Variant

Train = Callable[..., tuple[int, str, str]]
CODES = ("333123", "202102", "311141")
SPEC = NetworkSpec(4, 1, 8, 1, 10)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Do not change it."""
    folder = tmp_path_factory.mktemp("runs") / "digits"
    folder.mkdir()
    overrides = {
        "data.max_images": 300,
        "data.recalibration_images": 20,
        "network.channels": 4,
        "supernet.preset": "spos",
        "supernet.channels": 4,
        "supernet.reductions": "residual",
        "supernet.steps": 10,
        "hardware.timing.seconds": 0.005,
        "hardware.timing.min_repeats": 3,
        "hardware.timing.attempts": 1,
    }
    settings = read_study("quickstart", overrides)
    write_study(folder / "study.toml", settings)
    shutil.copyfile(find_definition("spaces", "nasbench201"), folder / "space.toml")
    save_splits(folder / "images", load_images(settings.data, settings.seed))
    space = load_space("nasbench201")
    codes = [space.parse(code) for code in CODES]
    LookupTable.build(
        TableMetadata(
            space.name,
            space.fingerprint,
            "cpu",
            1,
            SPEC.described(),
            "latency_ms",
            "0.1.0",
            0,
            {"latency_ms": 1e3},
            CODES[0],
        ),
        codes=CODES,
        architectures=[space.format(code) for code in codes],
        canonical=CODES,
        score=[70, 60, 65],
        predicted_accuracy_percent=[70, 60, 65],
        accuracy_std_percent=[0.5, 1.0, 0.0],
        costs={"latency_ms": [3, 1, 2], "params": [300, 100, 200]},
    ).write(folder)
    chosen = {"accuracy_percent": {"value": 70.0, "low": 66.0, "high": 74.0}, "accuracy_std": 0.5}
    (folder / "report.json").write_text(json.dumps({"answer": {"chosen": chosen}}))
    (folder / "best").mkdir()
    (folder / "best" / "architecture.json").write_text(json.dumps({"code": CODES[0]}))
    plan = make_plan(space, SPEC, settings.supernet, settings.seed)
    weights = dict(plan.build(0).named_parameters())
    state = Checkpoint(plan.steps(0), weights, [], torch.zeros(1))
    save_checkpoint(folder / "supernets" / plan.training(0).file, state, {})
    return folder


@pytest.fixture
def run_copy(finished_run: Path, tmp_path: Path) -> Path:
    """A copy of that run folder, to be changed."""
    return Path(shutil.copytree(finished_run, tmp_path / "run"))


@pytest.fixture
def train(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Train:
    """Runs the command in this process: exit code, standard output, standard error."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture(scope="session")
def trained_run(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of that run folder whose answer was trained and exported, with 8 bits; do not change it.

    ``answer.json`` in it is what the command printed.
    """
    folder = Path(shutil.copytree(finished_run, tmp_path_factory.mktemp("trained") / "run"))
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main([str(folder), "--epochs", "8", "--int8", "--quiet", "--json"]) == 0
    (folder / "answer.json").write_text(out.getvalue())
    return folder


def make_variant(latency_ms: float = 0.5, file: str = "model.onnx") -> Variant:
    latency = Measurement(latency_ms, 0.01, 9, 0, False, "2026-01-01T00:00:00+00:00")
    return Variant(file, 12_345, Accuracy.of(90, 100), Agreement(100, 1e-6, 100), latency)


def make_outcome(**changes: Any) -> Outcome:  # noqa: ANN401
    outcome = Outcome(
        "333123",
        "|conv~0|",
        8,
        Accuracy.of(91, 100),
        "the source's own test part",
        70.0,
        4.0,
        {"latency_ms": 0.4, "params": 1000.0},
        {"latency_ms": 0.6},
        "cpu",
        1,
        1,
        {"float": make_variant()},
        18,
        "photos: 3 epochs",
        "from scratch",
        0,
        500,
        1,
        "python -m surrogate_nas.train RUN",
    )
    return replace(outcome, **changes)


@pytest.fixture(scope="session")
def variant_of() -> Callable[..., Variant]:
    """Makes a variant of a latency in ms."""
    return make_variant


@pytest.fixture(scope="session")
def outcome_of() -> Callable[..., Outcome]:
    """Makes an outcome, with fields replaced."""
    return make_outcome

"""README is short, and its commands lead from images to a model file and further, in the order in which it has them."""

import importlib
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import REPOSITORY
from tests.docs.snippets import commands, prose
from tests.fixtures.one_process import one_process

README = REPOSITORY / "README.md"
MOST_WORDS = 400
# Settings with which a study takes seconds; its budgets are then met by any network.
TINY = {
    "space": "quick_elastic",
    "network.channels": 4,
    "network.cells": 1,
    "network.image_size": 8,
    "data.image_size": 8,
    "data.recalibration_images": 8,
    "supernet.channels": 4,
    "supernet.cells": 1,
    "supernet.steps": 20,
    "supernet.replicas": 1,
    "supernet.batch_size": 8,
    "labels.count": 30,
    "labels.draws": "uniform",
    "labels.validation_images": 20,
    "predictor.zero_cost": "false",
    "predictor.steps": 20,
    "predictor.ensemble": 1,
    "search.finalists": 1,
    "hardware.whole_networks": 4,
    "hardware.timing.seconds": 0.005,
    "hardware.timing.min_repeats": 3,
    "hardware.timing.attempts": 1,
    "rivals.names": "[]",
    "compute.processes": 1,
}
TINIER = {
    "study": [word for key, value in TINY.items() for word in ("--set", f"{key}={value}")],
    "train": ["--epochs", "1"],
}


def test_it_is_short() -> None:
    """Everything counts but blocks of code and the line of the picture."""
    text = prose(README.read_text(encoding="utf-8"))
    words = [word for line in text.splitlines() if not line.startswith("![") for word in line.split()]
    assert len(words) <= MOST_WORDS


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Returns the folder of images that README begins with, and a picture, in the working directory."""
    rng = np.random.default_rng(0)
    for part, count in (("train", 40), ("test", 6)):
        for number, name in enumerate(("cat", "dog")):
            folder = tmp_path / "photos" / part / name
            folder.mkdir(parents=True)
            for image in range(count):
                pixels = rng.integers(120 * number, 120 * number + 100, size=(8, 8, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{image}.png")
    shutil.copyfile(tmp_path / "photos" / "test" / "dog" / "0.png", tmp_path / "new-photo.jpg")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def without_weights(words: Sequence[str]) -> list[str]:
    """Returns a command that begins with random weights, where it names some that would have to be downloaded."""
    at = words.index("--weights") if "--weights" in words else len(words)
    return [*words[:at], *words[at + 2 :]]


@pytest.mark.slow
def test_its_commands_lead_to_a_model(photos: Path, capfd: pytest.CaptureFixture[str]) -> None:
    lines = [command for command in commands(README) if command.whole and command.name]
    assert [line.name for line in lines] == ["study", "train", "predict", "lookup"]
    for line in lines:
        main = importlib.import_module(f"surrogate_nas.cli.{line.name}").main
        with one_process():
            assert main([*without_weights(line.arguments), *TINIER.get(line.name, [])]) == 0, capfd.readouterr().err
        if line.name == "predict":
            assert capfd.readouterr().out.split()[-1] == "new-photo.jpg"
    for name in ("report.html", "best/model.onnx", "best/model-card.md"):
        assert (photos / "runs" / "mine" / name).is_file()


def test_it_leads_to_three_pages() -> None:
    text = README.read_text(encoding="utf-8")
    links = text[text.index("## Read on") :].splitlines()
    assert len([line for line in links if line.startswith("- [")]) == 3

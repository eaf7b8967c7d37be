"""Interruptions, folders in the way, and what is refused before anything is trained."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from surrogate_nas.deploy.train import train_run as module
from surrogate_nas.deploy.train.train_request import TrainRequest
from surrogate_nas.deploy.train.train_run import CHECKPOINT, run_training
from surrogate_nas.errors import ExportError, Interrupted, RunFolderError, SettingsError
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.run_folder import RunFolder


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Trainings are not exported, which would take most of the time, but listed here."""
    done: list[Any] = []
    monkeypatch.setattr(module, "deliver", lambda delivery, _advance: done.append(delivery.trained))
    return done


def start(request: TrainRequest, stop_after: int | None = None) -> None:
    asked = 0

    def should_stop() -> bool:
        nonlocal asked
        asked += 1
        return stop_after is not None and asked > stop_after

    with StudyConsole(quiet=True) as console:
        run_training(request, console, should_stop)


def checkpoint(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "models" / "333123" / CHECKPOINT)


@pytest.mark.parametrize("origin", ["scratch", "supernet"])
def test_an_interrupted_training_comes_to_the_same_weights(
    trainable_copy: Path,
    trained: list[Any],
    origin: Any,  # noqa: ANN401
) -> None:
    request = TrainRequest(trainable_copy, epochs=2, start=origin)
    start(request)
    whole = checkpoint(trainable_copy)
    shutil.rmtree(trainable_copy / "models")
    with pytest.raises(Interrupted):
        start(request, 40)
    assert len(trained) == 1
    start(replace(request, resume=True))
    for name, tensor in checkpoint(trainable_copy).items():
        assert torch.equal(tensor, whole[name]), name
    assert trained[0].loss == trained[1].loss


def test_a_stop_while_images_are_read_changes_nothing(trainable_copy: Path, trained: list[Any]) -> None:
    with pytest.raises(Interrupted, match="reading images"):
        start(TrainRequest(trainable_copy), 0)
    assert not (trainable_copy / "models").exists()


def test_a_training_in_the_way(trainable_copy: Path, trained: list[Any]) -> None:
    request = TrainRequest(trainable_copy, epochs=1)
    start(request)
    with pytest.raises(RunFolderError, match="already holds a training"):
        start(request)
    with pytest.raises(RunFolderError, match="was made with seed = 0, not 1"):
        start(replace(request, seed=1, resume=True))
    before = checkpoint(trainable_copy)
    start(replace(request, seed=1, overwrite=True))
    assert any(not torch.equal(tensor, before[name]) for name, tensor in checkpoint(trainable_copy).items())


def test_what_is_refused(trainable_copy: Path, trained: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="exclude each other"):
        start(TrainRequest(trainable_copy, resume=True, overwrite=True))
    held = RunFolder(trainable_copy)
    held.take()
    with pytest.raises(RunFolderError, match="another process is working in"):
        start(TrainRequest(trainable_copy))
    held.release()
    monkeypatch.setenv("WORLD_SIZE", "4000")
    with pytest.raises(SettingsError, match="4000 processes cannot share batches of 16 images"):
        start(TrainRequest(trainable_copy))
    monkeypatch.delenv("WORLD_SIZE")

    def missing(name: str, *_: object) -> None:
        raise ExportError(f"{name} is not installed")

    monkeypatch.setattr(module, "require_package", missing)
    with pytest.raises(ExportError, match="onnx is not installed"):
        start(TrainRequest(trainable_copy))
    assert not (trainable_copy / "models").exists()

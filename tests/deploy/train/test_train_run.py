"""Interruptions, folders in the way, and what is refused before anything is trained."""

import contextlib
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from surrogate_nas._processes.process_group import Processes
from surrogate_nas.data.on_disk.image_file import ImageFile
from surrogate_nas.deploy.train import train_run as module
from surrogate_nas.deploy.train.train_request import TrainRequest
from surrogate_nas.deploy.train.train_run import CHECKPOINT, run_training
from surrogate_nas.errors import ExportError, Interrupted, RunFolderError, SettingsError
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.run_folder import RunFolder
from tests.fixtures.finished_run import Train


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Trainings are not exported, which would take most of the time, but collected here."""
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


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("origin", ["scratch", "supernet"])
def test_an_interrupted_training_comes_to_the_same_weights(
    digits_copy: Path,
    trained: list[Any],
    origin: Any,  # noqa: ANN401
) -> None:
    request = TrainRequest(digits_copy, epochs=2, start=origin)
    start(request)
    whole = checkpoint(digits_copy)
    shutil.rmtree(digits_copy / "models")
    with pytest.raises(Interrupted):
        start(request, 40)
    assert len(trained) == 1
    start(replace(request, resume=True))
    for name, tensor in checkpoint(digits_copy).items():
        assert torch.equal(tensor, whole[name]), name
    assert trained[0].loss == trained[1].loss


@pytest.mark.slow
def test_a_balanced_training_is_another_training(digits_copy: Path, trained: list[Any]) -> None:
    request = TrainRequest(digits_copy, epochs=1)
    start(request)
    plain = checkpoint(digits_copy)
    balanced = replace(request, settings={"training.balance": True})
    with pytest.raises(RunFolderError, match=r"training\.balance"):
        start(replace(balanced, resume=True))
    start(replace(balanced, overwrite=True))
    assert any(not torch.equal(tensor, plain[name]) for name, tensor in checkpoint(digits_copy).items())


def test_a_stop_while_images_are_read_changes_nothing(digits_copy: Path, trained: list[Any]) -> None:
    with pytest.raises(Interrupted, match="reading images"):
        start(TrainRequest(digits_copy), 0)
    assert not (digits_copy / "models").exists()


def test_a_training_in_the_way(digits_copy: Path, trained: list[Any]) -> None:
    request = TrainRequest(digits_copy, epochs=1)
    start(request)
    with pytest.raises(RunFolderError, match="already holds a training"):
        start(request)
    with pytest.raises(RunFolderError, match="was made with seed = 0, not 1"):
        start(replace(request, seed=1, resume=True))
    before = checkpoint(digits_copy)
    start(replace(request, seed=1, overwrite=True))
    assert any(not torch.equal(tensor, before[name]) for name, tensor in checkpoint(digits_copy).items())


@pytest.mark.slow
def test_an_interrupted_lesson_comes_to_the_same_weights(digits_copy: Path, trained: list[Any]) -> None:
    settings = {"training.teacher": "333333"}
    request = TrainRequest(digits_copy, epochs=2, settings=settings)
    start(request)
    folder = digits_copy / "models" / "333123"
    taught, teacher = checkpoint(digits_copy), load_file(folder / "teacher-333333.safetensors")
    alone = TrainRequest(digits_copy, epochs=2, overwrite=True)
    start(alone)
    assert not (folder / "teacher-333333.safetensors").exists()
    assert any(not torch.equal(tensor, taught[name]) for name, tensor in checkpoint(digits_copy).items())
    with pytest.raises(RunFolderError, match="was made with teacher = none, not 333333"):
        start(replace(request, resume=True))
    # Stopped in the teacher's training, and then in the student's.
    shutil.rmtree(folder)
    for stop_after in (20, 45):
        with pytest.raises(Interrupted):
            start(replace(request, resume=folder.exists()), stop_after)
    start(replace(request, resume=True))
    for name, tensor in checkpoint(digits_copy).items():
        assert torch.equal(tensor, taught[name]), name
    for name, tensor in load_file(folder / "teacher-333333.safetensors").items():
        assert torch.equal(tensor, teacher[name]), name


def test_what_is_refused(digits_copy: Path, trained: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="exclude each other"):
        start(TrainRequest(digits_copy, resume=True, overwrite=True))
    held = RunFolder(digits_copy)
    held.take()
    with pytest.raises(RunFolderError, match="another process is working in"):
        start(TrainRequest(digits_copy))
    held.release()
    monkeypatch.setenv("WORLD_SIZE", "4000")
    with pytest.raises(SettingsError, match="4000 processes cannot share batches of 16 images"):
        start(TrainRequest(digits_copy))
    monkeypatch.delenv("WORLD_SIZE")
    with pytest.raises(SettingsError, match=r"training\.shift must be less than the image size, \d+ pixels \(got 48\)"):
        start(TrainRequest(digits_copy, settings={"training.shift": 48}))

    def missing(name: str, *_: object) -> None:
        raise ExportError(f"{name} is not installed")

    monkeypatch.setattr(module, "require_installed", missing)
    with pytest.raises(ExportError, match="onnx is not installed"):
        start(TrainRequest(digits_copy))
    assert not (digits_copy / "models").exists()


@pytest.mark.slow
def test_images_that_stay_on_the_disk_give_the_same_weights(
    digits_copy: Path, trained: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    start(TrainRequest(digits_copy, epochs=1))
    inside = checkpoint(digits_copy)
    shutil.rmtree(digits_copy / "models")
    monkeypatch.setattr("surrogate_nas.data.on_disk.room.GIGABYTE", 1)
    files, make = [], ImageFile.temporary

    def note(folder: Path, shape: tuple[int, int, int, int]) -> ImageFile:
        files.append(folder)
        return make(folder, shape)

    monkeypatch.setattr(ImageFile, "temporary", note)
    start(TrainRequest(digits_copy, epochs=1))
    assert len(trained) == 2
    assert set(files) == {digits_copy}
    for name, tensor in checkpoint(digits_copy).items():
        assert torch.equal(tensor, inside[name]), name


@pytest.mark.slow
def test_a_training_for_8_bits_needs_8_bit_files(digits_copy: Path, trained: list[Any]) -> None:
    settings = {"training.quantisation_epochs": 1}
    with pytest.raises(SettingsError, match=r"trains for 8-bit files, and none is asked for; add --int8"):
        start(TrainRequest(digits_copy, epochs=1, settings=settings))
    assert not (digits_copy / "models").exists()
    request = TrainRequest(digits_copy, epochs=1, int8=True, settings=settings)
    with pytest.raises(Interrupted, match="stopped while training for 8 bits"):
        start(request, 34)  # after the training, of 18 steps, and before the end of this one, of 18 more
    start(replace(request, resume=True))
    assert (digits_copy / "models" / "333123" / "int8-training.safetensors").exists()


@pytest.mark.slow
def test_a_caller_in_python_keeps_its_threads(digits_copy: Path, trained: list[Any]) -> None:
    own = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        start(TrainRequest(digits_copy, epochs=1, threads=2))
        assert torch.get_num_threads() == 3
        with pytest.raises(Interrupted):
            start(TrainRequest(digits_copy, epochs=1, threads=2, overwrite=True), 20)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(own)
    assert trained


def test_a_second_process_that_is_stopped_knows_that_the_training_began(
    digits_copy: Path, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise Interrupted("stopped while training")

    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(module, "joined", lambda *_: contextlib.nullcontext(Processes(1, 2)))
    monkeypatch.setattr(torch.distributed, "barrier", lambda: None)
    monkeypatch.setattr(module, "_train", stopped)
    code, _, err = train(digits_copy, "--epochs", "1")
    assert code == 130
    assert "stopped while training; continue with: " in err
    assert "was not changed" not in err

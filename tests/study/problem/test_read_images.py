"""Images of a run: decoded when they have to be, and never others than those it was started with."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from surrogate_nas.data.loading import load_images
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.errors import DataError, Interrupted, RunFolderError
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.study.problem import read_images as module
from surrogate_nas.study.problem.read_images import keep_images, read_images
from surrogate_nas.study.running import Run

RunOf = Callable[..., Run]
Again = Callable[[StudySettings, RunFolder], str]


@pytest.fixture
def source(mixed_images: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(mixed_images, tmp_path / "source"))


@pytest.fixture
def settings(source: Path) -> StudySettings:
    data = DataSettings(source="folder", path=str(source), recalibration_images=10)
    return StudySettings(name="own", data=data)


@pytest.fixture
def begun(settings: StudySettings, run_of: RunOf, tmp_path: Path) -> RunFolder:
    """Returns a run that has kept its images."""
    folder = RunFolder(tmp_path / "run")
    splits = read_images(run_of(folder.path, settings))
    folder.write_settings(settings)
    keep_images(settings, splits, folder)
    return folder


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Returns a list that grows with each time the images are decoded."""
    calls: list[str] = []
    load = load_images

    def counting(data: DataSettings, *rest: object) -> object:
        calls.append(str(data.path))
        return load(data, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "load_images", counting)
    return calls


@pytest.fixture
def again(run_of: RunOf) -> Again:
    """Reads the images once more, of a run that has started, and returns their fingerprint."""
    return lambda settings, folder: read_images(run_of(folder.path, settings)).fingerprint


def test_the_same_files_are_not_decoded_again(
    settings: StudySettings, again: Again, begun: RunFolder, decoded: list[str]
) -> None:
    fingerprint = again(settings, begun)
    assert decoded == []
    other_memory = settings.model_copy(update={"data": settings.data.model_copy(update={"memory_gb": 1.0})})
    assert again(other_memory, begun) == fingerprint
    assert decoded == []


def test_touched_files_and_another_place_are_decoded_and_found_the_same(
    settings: StudySettings, again: Again, begun: RunFolder, source: Path, decoded: list[str], tmp_path: Path
) -> None:
    fingerprint = again(settings, begun)
    os.utime(next((source / "dark").iterdir()), (0, 0))
    assert again(settings, begun) == fingerprint
    moved = str(source.rename(tmp_path / "moved"))
    elsewhere = settings.model_copy(update={"data": settings.data.model_copy(update={"path": moved})})
    assert again(elsewhere, begun) == fingerprint
    assert decoded == [str(source), moved]


def test_other_images_are_refused(settings: StudySettings, again: Again, begun: RunFolder, source: Path) -> None:
    Image.new("RGB", (8, 8), "red").save(source / "dark" / "new.png")
    with pytest.raises(RunFolderError, match="started with other images"):
        again(settings, begun)


def test_images_that_are_gone_are_those_of_the_run(
    settings: StudySettings, again: Again, begun: RunFolder, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fingerprint = again(settings, begun)
    shutil.rmtree(source)
    assert again(settings, begun) == fingerprint
    assert "is gone; the images kept in the run folder are used" in capsys.readouterr().err
    shutil.rmtree(begun.images)
    with pytest.raises(DataError, match="does not exist"):
        again(settings, begun)


def test_damaged_images_are_read_again_and_replaced(
    settings: StudySettings,
    again: Again,
    run_of: RunOf,
    begun: RunFolder,
    capsys: pytest.CaptureFixture[str],
    decoded: list[str],
) -> None:
    (begun.images / "splits.json").unlink()
    splits = read_images(run_of(begun.path, settings))
    assert "the images are read again" in capsys.readouterr().err
    keep_images(settings, splits, begun)
    assert again(settings, begun) == splits.fingerprint
    assert len(decoded) == 1


def test_reading_stops_when_asked(settings: StudySettings, run_of: RunOf, tmp_path: Path) -> None:
    with pytest.raises(Interrupted, match="stopped while reading images"):
        read_images(run_of(tmp_path / "run", settings, stop=True))

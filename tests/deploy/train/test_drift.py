"""Images that are others than in the study are noticed, and copies of the same files are not."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from surrogate_nas.data.cache import save_splits
from surrogate_nas.data.folders.listing import listing
from surrogate_nas.data.images import DataSplits
from surrogate_nas.data.loading import load_images
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.deploy.train import drift
from surrogate_nas.deploy.train.chosen import Choice, choose
from surrogate_nas.deploy.train.drift import changes_since


@pytest.fixture
def source(mixed_images: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(mixed_images, tmp_path / "source"))


@pytest.fixture
def splits(source: Path) -> DataSplits:
    return load_images(DataSettings(source="folder", path=str(source), recalibration_images=10), 0)


@pytest.fixture
def choice(digits_copy: Path, source: Path, splits: DataSplits) -> Choice:
    """Returns a choice of a study that used these images."""
    save_splits(digits_copy / "images", splits)
    found = choose(digits_copy)
    found.run.state.listing = listing("folder", str(source))
    data = DataSettings(source="folder", path=str(source), recalibration_images=10)
    return replace(found, settings=found.settings.model_copy(update={"data": data}))


def ignore(_done: int, _total: int) -> None:
    """Progress that nobody sees."""


def test_images_that_are_gone_are_counted(choice: Choice, splits: DataSplits, source: Path) -> None:
    assert changes_since(choice, splits, ignore) is None
    for file in sorted((source / "dark").iterdir())[:20]:
        file.unlink()
    warning = changes_since(choice, splits, ignore)
    assert warning is not None
    assert warning.startswith(f"the images in {source} have changed since the study, which used 120 images (now 100")


def test_copied_files_are_the_same_images(choice: Choice, splits: DataSplits, source: Path) -> None:
    for file in (source / "dark").iterdir():
        os.utime(file, (0, 0))
    assert changes_since(choice, splits, ignore) is None


def test_nothing_is_decoded_where_the_files_are_as_they_were(
    choice: Choice, splits: DataSplits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drift, "divide_images", None)
    assert changes_since(choice, splits, ignore) is None
    digits = choice.settings.model_copy(update={"data": DataSettings()})
    assert changes_since(replace(choice, settings=digits), splits, ignore) is None

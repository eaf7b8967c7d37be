"""Images are kept in memory up to the limit, and in the right folder above it."""

from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.data.on_disk.image_file import ImageFile
from surrogate_nas.data.on_disk.room import Room


def test_the_limit_is_the_largest_size_in_memory() -> None:
    room = Room(0.003)
    assert room.holds((1000, 3, 10, 100))
    assert not room.holds((1001, 3, 10, 100))
    assert isinstance(room.make((10, 3, 10, 10)), np.ndarray)


def test_a_folder_that_does_not_exist_yet_is_replaced_by_the_one_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[Path] = []

    def note(folder: Path, shape: tuple[int, int, int, int]) -> ImageFile:
        used.append(folder)
        return original(folder, shape)

    original = ImageFile.temporary
    monkeypatch.setattr(ImageFile, "temporary", note)
    Room(1e-9, tmp_path / "runs" / "mine").make((2, 1, 2, 2))
    (tmp_path / "runs").mkdir()
    Room(1e-9, tmp_path / "runs" / "mine").make((2, 1, 2, 2))
    monkeypatch.chdir(tmp_path)
    Room(1e-9, Path("other")).make((2, 1, 2, 2))
    assert used == [tmp_path, tmp_path / "runs", tmp_path]
    assert isinstance(Room(1e-9).make((2, 1, 2, 2)), ImageFile)

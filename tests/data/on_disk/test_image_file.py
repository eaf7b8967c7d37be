"""Images in a file are what a tensor of them would be."""

import errno
import gc
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from surrogate_nas.data.on_disk.image_file import ImageFile
from surrogate_nas.errors import StoreError, WriteError

COUNT = 23


@pytest.fixture(scope="module")
def pixels() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (COUNT, 3, 5, 5), dtype=np.uint8)


@pytest.fixture(scope="module")
def images(pixels: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> ImageFile:
    made = ImageFile.temporary(tmp_path_factory.mktemp("images"), (COUNT, 3, 5, 5))
    made.write(0, pixels)
    return made


bounds = st.none() | st.integers(-COUNT - 3, COUNT + 3)
indices = arrays.arrays(np.int64, st.integers(0, 40), elements=st.integers(-COUNT, COUNT - 1))


@given(start=bounds, stop=bounds, step=st.none() | st.integers(1, 4))
def test_a_slice_is_that_of_a_tensor(
    images: ImageFile, pixels: NDArray[np.uint8], start: int | None, stop: int | None, step: int | None
) -> None:
    part = images[slice(start, stop, step)]
    assert part.dtype == torch.uint8
    np.testing.assert_array_equal(part.numpy(), pixels[start:stop:step])


@given(first=indices, second=st.lists(st.integers(0, 10**6)))
def test_indices_and_indices_of_indices_are_those_of_a_tensor(
    images: ImageFile, pixels: NDArray[np.uint8], first: NDArray[np.int64], second: list[int]
) -> None:
    np.testing.assert_array_equal(images[torch.from_numpy(first)].numpy(), pixels[first])
    taken = images.take(torch.from_numpy(first))
    assert (len(taken), taken.shape, taken.ndim) == (len(first), (len(first), 3, 5, 5), 4)
    again = np.array([one % len(first) for one in second if len(first)], dtype=np.int64)
    np.testing.assert_array_equal(taken[torch.from_numpy(again)].numpy(), pixels[first][again])
    np.testing.assert_array_equal(taken.take(torch.from_numpy(again))[:].numpy(), pixels[first][again])
    np.testing.assert_array_equal(taken[1:7].numpy(), pixels[first][1:7])


def test_an_index_beyond_is_an_error(images: ImageFile) -> None:
    with pytest.raises(IndexError):
        images[torch.tensor([COUNT])]


def test_rows_go_to_the_device_that_is_wanted(images: ImageFile) -> None:
    moved = images.to("meta")
    assert moved.device == torch.device("meta")
    assert moved.take(torch.tensor([1, 2]))[:1].device == torch.device("meta")
    assert images[:1].device == torch.device("cpu")


@pytest.mark.parametrize("at_a_position", [True, False])
def test_threads_read_and_write_side_by_side(
    at_a_position: bool, pixels: NDArray[np.uint8], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not at_a_position:  # as on Windows
        monkeypatch.delattr(os, "preadv", raising=False)
        monkeypatch.delattr(os, "pwrite", raising=False)
    images = ImageFile.temporary(tmp_path, (COUNT, 3, 5, 5))
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda row: images.write(row, pixels[row : row + 1]), range(COUNT)))
        for row, read in enumerate(threads.map(lambda row: images[row : row + 1].numpy(), range(COUNT))):
            np.testing.assert_array_equal(read[0], pixels[row])


def test_a_temporary_file_leaves_nothing(tmp_path: Path) -> None:
    made = ImageFile.temporary(tmp_path, (2, 1, 2, 2))
    made.write(0, np.zeros((2, 1, 2, 2), dtype=np.uint8))
    if os.name == "posix":
        assert not list(tmp_path.iterdir())
    del made
    gc.collect()
    assert not list(tmp_path.iterdir())


def test_a_folder_that_takes_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="missing takes no file of images"):
        ImageFile.temporary(tmp_path / "missing", (2, 1, 2, 2))


def test_a_full_disk_is_said(images: ImageFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full, raising=False)
    with pytest.raises(WriteError, match=r"a file of images in .* cannot be written: No space left"):
        images.write(0, np.zeros((1, 3, 5, 5), dtype=np.uint8))


def test_a_file_behind_a_header_is_opened(pixels: NDArray[np.uint8], tmp_path: Path) -> None:
    path = tmp_path / "images"
    path.write_bytes(b"header" + pixels.tobytes())
    opened = ImageFile.open(path, 6, (COUNT, 3, 5, 5))
    np.testing.assert_array_equal(opened[3:5].numpy(), pixels[3:5])


def test_a_file_of_another_length_is_refused(pixels: NDArray[np.uint8], tmp_path: Path) -> None:
    path = tmp_path / "images"
    path.write_bytes(pixels.tobytes()[1:])
    with pytest.raises(StoreError, match="has 1,724 bytes where its images have 1,725"):
        ImageFile.open(path, 0, (COUNT, 3, 5, 5))


def test_a_file_that_is_cut_while_it_is_read_is_said(pixels: NDArray[np.uint8], tmp_path: Path) -> None:
    path = tmp_path / "images"
    path.write_bytes(pixels.tobytes())
    opened = ImageFile.open(path, 0, (COUNT, 3, 5, 5))
    os.truncate(path, 800)
    with pytest.raises(StoreError, match="images is cut short"):
        opened[torch.tensor([1, 20])]


def test_a_disk_that_cannot_be_read_is_said(images: ImageFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "preadv", refuse, raising=False)
    with pytest.raises(StoreError, match="cannot be read: Input/output error"):
        images[:2]

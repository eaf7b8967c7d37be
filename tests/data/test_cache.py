"""Saved parts come back equal, and every damage to their files is noticed."""

import dataclasses
import errno
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from surrogate_nas._support.files import write_json
from surrogate_nas.data.batches import Batches
from surrogate_nas.data.cache import load_splits, save_splits
from surrogate_nas.data.images import DataSplits, ImageSet
from surrogate_nas.data.on_disk.image_file import ImageFile
from surrogate_nas.errors import StoreError

MakeSplits = Callable[..., DataSplits]


@pytest.fixture
def saved(make_splits: MakeSplits, tmp_path: Path) -> Path:
    save_splits(tmp_path / "images", make_splits())
    return tmp_path / "images"


def test_what_was_saved_is_loaded(make_splits: MakeSplits, tmp_path: Path) -> None:
    splits = dataclasses.replace(make_splits(), notes=("a note",))
    save_splits(tmp_path / "new" / "images", splits)
    loaded = load_splits(tmp_path / "new" / "images")
    for name in ("train", "validation", "recalibration"):
        before, after = getattr(splits, name), getattr(loaded, name)
        assert torch.equal(before.images, after.images)
        assert torch.equal(before.labels, after.labels)
        assert before.class_names == after.class_names
        assert before.fingerprint() == after.fingerprint()
    for field in ("mean", "std", "native_image_size", "fingerprint", "notes", "class_names"):
        assert getattr(splits, field) == getattr(loaded, field)
    assert not loaded.balance
    save_splits(tmp_path / "new" / "images", splits.balanced())
    assert load_splits(tmp_path / "new" / "images").balance
    weighted = dataclasses.replace(splits.balanced(weighted=True), own_validation=True)
    save_splits(tmp_path / "new" / "images", weighted)
    loaded = load_splits(tmp_path / "new" / "images")
    assert (loaded.balance, loaded.weighted, loaded.own_validation) == (True, True, True)
    batch = [Batches(each, 8, seed=1, flip=True, shift=1).batch(3)[0] for each in (splits, loaded)]
    assert torch.equal(*batch)


def test_a_file_system_that_maps_nothing_is_read(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = load_splits(saved).train.images[:].clone()

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENODEV, "No such device")

    monkeypatch.setattr(np, "memmap", refuse)
    monkeypatch.setattr("numpy.lib.format.open_memmap", refuse)
    monkeypatch.setattr("mmap.mmap", refuse)
    assert torch.equal(load_splits(saved).train.images[:], before)


def test_a_file_that_cannot_be_opened_is_not_called_damaged(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(np, "load", refuse)
    with pytest.raises(StoreError, match=r"cached images cannot be read: .*: Too many open files"):
        load_splits(saved)


def test_changing_loaded_images_changes_no_file(saved: Path) -> None:
    loaded = load_splits(saved)
    loaded.train.images[:].zero_()
    assert load_splits(saved).train.images[:].any()


def test_saving_again_replaces_and_leaves_nothing_behind(saved: Path, make_splits: MakeSplits) -> None:
    other = make_splits(images=50, seed=1)
    save_splits(saved, other)
    assert load_splits(saved).fingerprint == other.fingerprint
    assert len(list(saved.iterdir())) == 7
    assert all(other.fingerprint in file.name for file in saved.glob("*.npy"))


def test_a_crash_while_saving_leaves_the_former_parts(
    saved: Path, make_splits: MakeSplits, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = load_splits(saved).fingerprint

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("surrogate_nas.data.cache.write_json", crash)
    with pytest.raises(KeyboardInterrupt):
        save_splits(saved, make_splits(images=50, seed=1))
    loaded = load_splits(saved)
    assert loaded.fingerprint == before
    assert loaded.train.images[:].any()


@pytest.mark.parametrize("part", ["train", "validation", "recalibration"])
@pytest.mark.parametrize("kind", ["images", "labels"])
@pytest.mark.parametrize("left", [0, 10, 140, -1])
def test_a_file_cut_short_is_named(saved: Path, part: str, kind: str, left: int) -> None:
    (path,) = saved.glob(f"{part}-{kind}-*.npy")
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(StoreError, match=re.escape(f"damaged or cut short: {path}")):
        load_splits(saved)


def test_a_missing_file_is_named(saved: Path) -> None:
    (path,) = saved.glob("validation-labels-*.npy")
    path.unlink()
    with pytest.raises(StoreError, match=re.escape(f"is missing: {path}")):
        load_splits(saved)


@pytest.mark.parametrize(
    ("array", "got"),
    [
        (np.zeros((3, 3, 6, 6), np.uint8), "got uint8 of shape (3, 3, 6, 6)"),
        (np.zeros(4, np.float32), "got float32 of shape (4,)"),
    ],
)
def test_a_file_of_other_images_is_noticed(saved: Path, array: NDArray[Any], got: str) -> None:
    (path,) = saved.glob("train-images-*.npy")
    np.save(path, array)
    with pytest.raises(StoreError, match=re.escape(got)):
        load_splits(saved)


def test_a_pickle_is_never_opened(saved: Path) -> None:
    (path,) = saved.glob("train-labels-*.npy")
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(StoreError, match=re.escape(str(path))):
        load_splits(saved)


def change_index(folder: Path, changes: dict[str, object]) -> None:
    index = folder / "splits.json"
    write_json(index, {**json.loads(index.read_text()), **changes})


def test_labels_of_no_class_are_noticed(saved: Path) -> None:
    (path,) = saved.glob("train-labels-*.npy")
    np.save(path, np.load(path) + 1)
    change_index(saved, {"checksums": {}})
    with pytest.raises(StoreError, match=re.escape("must be in 0..3")):
        load_splits(saved)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"schema_version": 2}, "the program is older than the file"),
        ({"schema_version": None}, "has version None"),
        ({"fingerprint": "../../etc/passwd"}, "fingerprint"),
        ({"mean": "grey"}, "mean"),
        ({"mean": [0.5]}, "3 channels need a mean each"),
        ({"shapes": {}}, "shapes"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_damaged_index_is_named_with_the_field(saved: Path, changes: dict[str, object], where: str) -> None:
    index = saved / "splits.json"
    change_index(saved, changes)
    with pytest.raises(StoreError, match=re.escape(str(index))) as caught:
        load_splits(saved)
    assert where in str(caught.value)


def test_an_empty_folder_has_no_index(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=re.escape("the index of the cached images is missing")):
        load_splits(tmp_path)


@pytest.mark.parametrize("kind", ["images", "labels"])
def test_a_flipped_bit_in_an_array_is_noticed_once(kind: str, saved: Path) -> None:
    (path,) = saved.glob(f"validation-{kind}-*.npy")
    whole = path.read_bytes()
    path.write_bytes(whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:])
    with pytest.raises(StoreError, match=re.escape(f"cached images are damaged: {path}: its content")):
        load_splits(saved)
    assert load_splits(saved, checked=True).validation is not None
    path.write_bytes(whole)
    assert load_splits(saved).validation is not None


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_flipped_bit_in_any_header_is_noticed_or_harmless(saved: Path) -> None:
    (path,) = saved.glob("train-labels-*.npy")
    whole = path.read_bytes()
    shape = load_splits(saved).train.labels.shape
    for place in range(128):
        for bit in (0, 1, 3, 5):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << bit)]) + whole[place + 1 :])
            try:
                assert load_splits(saved).train.labels.shape == shape
            except StoreError:
                continue


@pytest.fixture
def in_files(make_splits: MakeSplits, tmp_path: Path) -> DataSplits:
    """Images as they come from a source that memory should not hold."""
    splits = make_splits()

    def moved(part: ImageSet) -> ImageSet:
        pixels = part.images[:].numpy()
        stored = ImageFile.temporary(tmp_path, pixels.shape)
        stored.write(0, pixels)
        return dataclasses.replace(part, images=stored)

    train, validation, recalibration = (moved(part) for part in (splits.train, splits.validation, splits.recalibration))
    return dataclasses.replace(splits, train=train, validation=validation, recalibration=recalibration)


def test_images_in_files_are_saved_as_others_and_stay_in_files(
    in_files: DataSplits, make_splits: MakeSplits, tmp_path: Path
) -> None:
    save_splits(tmp_path / "memory", make_splits())
    save_splits(tmp_path / "files", in_files)
    for path in (tmp_path / "memory").glob("*.npy"):
        assert (tmp_path / "files" / path.name).read_bytes() == path.read_bytes()
    inside, outside = (load_splits(tmp_path / name) for name in ("memory", "files"))
    for name in ("train", "validation", "recalibration"):
        before, after = getattr(inside, name), getattr(outside, name)
        assert isinstance(before.images, torch.Tensor)
        assert isinstance(after.images, ImageFile)
        assert torch.equal(before.images, after.images[:])
        assert before.fingerprint() == after.fingerprint()
    batch = [Batches(each, 8, seed=1, flip=True, shift=1).batch(3) for each in (inside, outside)]
    assert torch.equal(batch[0][0], batch[1][0])
    assert torch.equal(batch[0][1], batch[1][1])


@pytest.mark.parametrize("left", [0, 10, 100, 140, -1])
def test_a_file_of_many_images_that_is_cut_short_is_named(in_files: DataSplits, left: int, tmp_path: Path) -> None:
    save_splits(tmp_path / "images", in_files)
    (path,) = (tmp_path / "images").glob("train-images-*.npy")
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(StoreError, match=re.escape(str(path))):
        load_splits(tmp_path / "images", checked=True)


def test_a_flipped_bit_of_many_images_is_noticed(in_files: DataSplits, tmp_path: Path) -> None:
    save_splits(tmp_path / "images", in_files)
    (path,) = (tmp_path / "images").glob("train-images-*.npy")
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    with pytest.raises(StoreError, match=re.escape(f"cached images are damaged: {path}")):
        load_splits(tmp_path / "images")


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((3, 3, 6, 6), np.uint8),
        np.zeros((60, 3, 6, 6), np.float32),
        np.asfortranarray(np.zeros((60, 3, 6, 6), np.uint8)),
        np.array({"a": 1}, dtype=object),
    ],
)
def test_a_file_of_many_other_images_is_noticed(in_files: DataSplits, array: NDArray[Any], tmp_path: Path) -> None:
    assert len(in_files.train) == 60
    save_splits(tmp_path / "images", in_files)
    (path,) = (tmp_path / "images").glob("train-images-*.npy")
    np.save(path, array, allow_pickle=True)
    with pytest.raises(StoreError, match=re.escape(str(path))):
        load_splits(tmp_path / "images", checked=True)


def test_many_images_that_are_missing_are_named(in_files: DataSplits, tmp_path: Path) -> None:
    save_splits(tmp_path / "images", in_files)
    (path,) = (tmp_path / "images").glob("validation-images-*.npy")
    path.unlink()
    with pytest.raises(StoreError, match=re.escape(f"is missing: {path}")):
        load_splits(tmp_path / "images")

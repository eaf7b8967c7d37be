"""From settings to divided images: the digits, folders made here, and real photographs."""

import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from surrogate_nas.data.batches import Batches
from surrogate_nas.data.images import DataSplits
from surrogate_nas.data.loading import load_images
from surrogate_nas.data.on_disk.image_file import ImageFile
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.errors import DataError

MakeFolder = Callable[..., Path]


def parts(splits: DataSplits) -> list[torch.Tensor]:
    return [splits.train.images[:], splits.validation.images[:], splits.recalibration.images[:]]


def test_the_quickstart_needs_nothing_but_the_defaults() -> None:
    settings = DataSettings()
    splits = load_images(settings, seed=1)
    assert [len(part) for part in parts(splits)] == [863, 719, 215]
    assert (splits.channels, splits.image_size, splits.native_image_size) == (1, 8, 8)
    assert splits.class_names == tuple("0123456789")
    images, labels = Batches(splits, 64, seed=1, flip=settings.flip, shift=settings.shift).batch(0)
    assert images.shape == (64, 1, 8, 8)
    assert labels.shape == (64,)


def test_loading_twice_gives_the_same_parts_and_another_seed_others() -> None:
    first, second, other = (load_images(DataSettings(), seed=seed) for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(parts(first), parts(second), strict=True))
    assert first.fingerprint == second.fingerprint != other.fingerprint


def test_the_same_images_are_in_the_same_parts_at_every_size(make_folder: MakeFolder) -> None:
    root = str(make_folder({"cat": 20, "dog": 20}))
    native, small = (
        load_images(DataSettings(source="folder", path=root, image_size=size), seed=4) for size in (None, 4)
    )
    for large_part, small_part in zip(parts(native), parts(small), strict=True):
        means = large_part.double().reshape(-1, 3, 4, 2, 4, 2).mean(dim=(3, 5))
        assert (small_part - means).abs().max() <= 0.51
    assert small.native_image_size == 8


def test_two_folders_of_the_same_images_have_one_fingerprint(make_folder: MakeFolder) -> None:
    roots = [make_folder({"cat": 12, "dog": 9}, under=name, seed=1) for name in ("here", "there")]
    other = make_folder({"cat": 12, "dog": 9}, under="elsewhere", seed=2)
    fingerprints = [
        load_images(DataSettings(source="folder", path=str(root)), seed=0).fingerprint for root in (*roots, other)
    ]
    assert fingerprints[0] == fingerprints[1] != fingerprints[2]


def test_every_image_keeps_its_label(make_folder: MakeFolder, tmp_path: Path) -> None:
    root = make_folder({"a": 0, "b": 0, "c": 0})
    for label, name in enumerate("abc"):
        for index in range(30):
            Image.new("L", (4, 4), 80 * label + index).save(root / name / f"{index}.png")
    splits = load_images(DataSettings(source="folder", path=str(root)), seed=0)
    seen = []
    for part in (splits.train, splits.validation, splits.recalibration):
        values = part.images[:][:, 0, 0, 0].to(torch.int64)
        assert torch.equal(values // 80, part.labels)
        seen += values.tolist()
    assert sorted(seen) == sorted(80 * label + index for label in range(3) for index in range(30))


def test_a_subset_is_of_the_asked_size_and_in_proportion() -> None:
    splits = load_images(DataSettings(max_images=200), seed=0)
    labels = torch.cat([splits.train.labels, splits.validation.labels, splits.recalibration.labels])
    assert len(labels) == 200
    assert set(labels.bincount().tolist()) <= {19, 20, 21}


def test_notes_of_all_steps_come_together(make_folder: MakeFolder) -> None:
    root = make_folder({"train/cat": 10, "train/dog": 10, "test/cat": 1})
    (root / "train" / "cat" / "0003.png").write_bytes(b"")
    settings = DataSettings(source="folder", path=str(root), image_size=4, on_unreadable="skip")
    splits = load_images(settings, seed=0)
    notes = " / ".join(splits.notes)
    for part in (
        "test is kept for the trained model",
        "19 of 19 images were resized to 4x4",
        "recalibrate batch norms",
    ):
        assert part in notes
    assert splits.warnings[0] == "1 unreadable image left out, such as cat/0003.png"
    assert "test has no image of 1 class: dog" in splits.warnings[1]


def folder_settings(root: Path, **changes: Any) -> DataSettings:  # noqa: ANN401
    return DataSettings(source="folder", path=str(root), recalibration_images=1, **changes)


def test_the_test_part_is_examined_before_anything_is_trained(make_folder: MakeFolder) -> None:
    root = make_folder({"train/cat": 10, "train/dog": 10, "test/cat": 2, "test/eel": 1})
    with pytest.raises(DataError, match="test has 1 class that the training images lack: eel"):
        load_images(folder_settings(root), seed=0)
    (root / "test" / "eel").rename(root / "test" / "dog")
    (root / "test" / "cat" / "0001.png").write_bytes(b"x")
    with pytest.raises(DataError, match=r"1 of 3 images cannot be read: cat/0001\.png"):
        load_images(folder_settings(root), seed=0)
    splits = load_images(folder_settings(root, on_unreadable="skip"), seed=0)
    assert splits.warnings == ("test part: 1 unreadable image left out, such as cat/0001.png",)


def test_classes_of_different_sizes_are_warned_about(make_folder: MakeFolder) -> None:
    even = load_images(folder_settings(make_folder({"cat": 30, "dog": 10})), seed=0)
    assert even.warnings == ()
    uneven = load_images(folder_settings(make_folder({"cat": 60, "dog": 10}, under="uneven")), seed=0)
    (warning,) = uneven.warnings
    assert "'cat' has 60 images, 'dog' has 10" in warning
    assert "--set data.balance=true" in warning
    balanced = load_images(folder_settings(make_folder({"cat": 60, "dog": 10}, under="b"), balance=True), seed=0)
    assert balanced.warnings == ()


def test_balanced_images_are_the_same_images_and_belong_to_other_results(make_folder: MakeFolder) -> None:
    root = make_folder({"cat": 30, "dog": 10})
    plain, balanced = (load_images(folder_settings(root, balance=one), seed=0) for one in (False, True))
    assert not plain.balance
    assert balanced.balance
    assert torch.equal(plain.train.images[:], balanced.train.images[:])
    assert plain.fingerprint != balanced.fingerprint
    assert any("trainings draw them equally often" in note for note in balanced.notes)
    weighted = load_images(folder_settings(root, balance="weights"), seed=0)
    assert (weighted.balance, weighted.weighted, balanced.weighted) == (True, True, False)
    assert len({one.fingerprint for one in (plain, balanced, weighted)}) == 3
    assert any("trainings weigh them in the loss" in note for note in weighted.notes)


def test_equal_images_are_found_within_the_training_part_and_across(make_folder: MakeFolder) -> None:
    root = make_folder({"train/cat": 10, "train/dog": 10, "test/cat": 3, "test/dog": 3})
    train, test = root / "train", root / "test"
    shutil.copyfile(train / "cat" / "0004.png", train / "dog" / "copy.png")
    # Other files with the same pixels.
    Image.open(train / "cat" / "0002.png").save(test / "dog" / "0001.bmp")
    with pytest.raises(DataError, match=r"^1 image is in two classes: cat/0004.png and dog/copy.png; remove the wrong"):
        load_images(folder_settings(root), seed=0)
    within, both, across = load_images(folder_settings(root, on_two_classes="keep"), seed=0).warnings
    assert within.startswith("1 image of 21 is a copy of another, such as cat/0004.png and dog/copy.png: ")
    assert both == "1 image is in two classes: cat/0004.png and dog/copy.png"
    assert across.startswith("1 of 7 test images is also among the training images, such as dog/0001.bmp (training")
    assert across.endswith("image cat/0002.png), 1 of them in another class; the final test leaves them out")


def test_test_images_that_label_architectures_are_found(make_folder: MakeFolder) -> None:
    root = make_folder({"train/cat": 10, "train/dog": 10, "val/cat": 4, "val/dog": 4, "test/cat": 3, "test/dog": 3})
    Image.open(root / "val" / "cat" / "0001.png").save(root / "test" / "cat" / "copy.bmp")
    *_, text = load_images(folder_settings(root), seed=0).warnings
    assert text.startswith("1 of 7 test images is also among the validation images, such as cat/copy.bmp (validation")
    assert text.endswith("image cat/0001.png); the final test leaves them out")


def test_a_validation_folder_beside_train_and_test_labels(make_folder: MakeFolder) -> None:
    root = make_folder({"train/cat": 10, "train/dog": 10, "test/cat": 3, "test/dog": 3, "val/cat": 4, "val/dog": 7})
    splits = load_images(folder_settings(root), seed=0)
    assert [len(part) for part in (splits.train, splits.validation, splits.recalibration)] == [19, 11, 1]
    assert sorted(splits.validation.labels.tolist()) == [0] * 4 + [1] * 7
    expected = np.asarray(Image.open(root / "val" / "dog" / "0006.png")).transpose(2, 0, 1)
    (found,) = [
        label
        for image, label in zip(splits.validation.images[:], splits.validation.labels.tolist(), strict=True)
        if np.array_equal(image.numpy(), expected)
    ]
    assert found == 1
    assert any("val labels architectures" in note for note in splits.notes)
    shutil.rmtree(root / "test")
    assert len(load_images(folder_settings(root), seed=0).validation) == 11
    capped = make_folder({f"{part}/{label}": 9 for part in ("train", "val", "test") for label in "ab"}, under="capped")
    assert len(load_images(folder_settings(capped, max_images=10), seed=0).validation) == 10


def test_the_first_images_of_a_validation_folder_are_of_all_classes(make_folder: MakeFolder) -> None:
    root = make_folder({f"{part}/{label}": 20 for part in ("train", "val") for label in "abcd"})
    labels = load_images(folder_settings(root), seed=0).validation.labels
    assert np.bincount(labels[:40], minlength=4).min() >= 4
    assert torch.equal(load_images(folder_settings(root), seed=0).validation.labels, labels)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_capped_validation_folder_keeps_the_share_of_every_class(make_folder: MakeFolder, seed: int) -> None:
    root = make_folder({"train/a": 9, "train/b": 9, "train/c": 9, "val/a": 40, "val/b": 40, "val/c": 1})
    validation = load_images(folder_settings(root, max_images=13), seed=seed).validation
    assert np.bincount(validation.labels).tolist() == [6, 6, 1]


def test_a_class_too_small_for_the_split_is_named(make_folder: MakeFolder) -> None:
    root = make_folder({"cat": 10, "dog": 2})
    with pytest.raises(DataError, match=re.escape("(got too few: 'dog' has 2)")):
        load_images(DataSettings(source="folder", path=str(root)), seed=0)


def test_a_class_that_skipping_makes_too_small_is_named(make_folder: MakeFolder) -> None:
    root = make_folder({"cat": 10, "dog": 3})
    (root / "dog" / "0001.png").write_bytes(b"")
    with pytest.raises(DataError, match=re.escape("(got too few: 'dog' has 2)")):
        load_images(DataSettings(source="folder", path=str(root), on_unreadable="skip"), seed=0)


def test_photographs_of_cifar10(shared_data: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(shared_data / "cifar10_images.zip") as archive:
        wanted = [
            name for name in archive.namelist() if re.search(r"(train|test)/(cat|ship|frog)/000[0-8]\.jpg$", name)
        ]
        archive.extractall(tmp_path, wanted)
    (train,) = tmp_path.rglob("train")
    settings = DataSettings(source="folder", path=str(train.parent), image_size=16)
    splits = load_images(settings, seed=0)
    assert splits.class_names == ("cat", "frog", "ship")
    assert splits.train.images.shape[1:] == (3, 16, 16)
    assert splits.native_image_size == 32
    files = list(train.rglob("*.jpg"))
    assert sum(len(part) for part in parts(splits)) == len(files) == 27
    # A file is recognised by the means of 2x2 blocks, to within their rounding.
    means = [
        np.asarray(Image.open(file)).reshape(16, 2, 16, 2, 3).mean(axis=(1, 3)).transpose(2, 0, 1) for file in files
    ]
    classes = [splits.class_names.index(file.parent.name) for file in files]
    found = []
    for part in (splits.train, splits.validation, splits.recalibration):
        for image, label in zip(part.images[:].numpy(), part.labels.tolist(), strict=True):
            (match,) = [index for index, mean in enumerate(means) if np.abs(image - mean).max() <= 0.51]
            assert classes[match] == label
            found.append(match)
    assert sorted(found) == list(range(27))


def test_images_that_memory_should_not_hold_are_divided_alike(make_folder: MakeFolder, tmp_path: Path) -> None:
    root = make_folder({"train/cat": 30, "train/dog": 30, "val/cat": 8, "val/dog": 8, "test/cat": 3, "test/dog": 3})
    (root / "test" / "cat" / "copy.png").write_bytes((root / "train" / "cat" / "0003.png").read_bytes())
    inside, outside = (load_images(folder_settings(root, memory_gb=size), 0, folder=tmp_path) for size in (1.0, 1e-7))
    assert isinstance(outside.train.images, ImageFile)
    for one, other in zip(parts(inside), parts(outside), strict=True):
        assert torch.equal(one, other)
    assert (inside.fingerprint, inside.mean, inside.std) == (outside.fingerprint, outside.mean, outside.std)
    assert inside.warnings == outside.warnings
    assert any("stay on the disk" in note for note in outside.notes)


@pytest.mark.parametrize("part", ["val", "test"])
def test_an_image_in_two_classes_is_found_in_every_part(make_folder: MakeFolder, part: str) -> None:
    root = make_folder({"train/cat": 10, "train/dog": 10, f"{part}/cat": 3, f"{part}/dog": 3})
    shutil.copyfile(root / part / "cat" / "0001.png", root / part / "dog" / "copy.png")
    with pytest.raises(DataError, match=r"^1 image is in two classes: cat/0001.png and dog/copy.png; remove the wrong"):
        load_images(folder_settings(root), seed=0)
    kept = load_images(folder_settings(root, on_two_classes="keep"), seed=0).warnings
    assert "1 image is in two classes: cat/0001.png and dog/copy.png" in kept

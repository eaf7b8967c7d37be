"""A final network is trained on the right images and judged by others."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from surrogate_nas.data import final_images
from surrogate_nas.data.decoding.square import square_pixels
from surrogate_nas.data.final_images import TEST_ORIGINS, FinalImages, load_final_images
from surrogate_nas.data.images import ImageSet
from surrogate_nas.data.loading import load_images
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.data.splits import stratified_subset
from surrogate_nas.errors import DataError

MakeFolder = Callable[..., Path]
DIGITS = tuple(str(digit) for digit in range(10))


def rows(images: ImageSet) -> set[bytes]:
    return {image.numpy().tobytes() for image in images.images[:]}


def load(settings: DataSettings, names: tuple[str, ...], **sizes: object) -> FinalImages:
    wanted = {"image_size": 8, "channels": 1} | sizes
    return load_final_images(settings, 3, class_names=names, **wanted)  # type: ignore[arg-type]


def test_a_test_part_of_the_source_is_the_test_and_all_else_is_trained_on(make_folder: MakeFolder) -> None:
    root = make_folder({"train/cat": 6, "train/dog": 9, "test/cat": 3, "test/dog": 2})
    settings = DataSettings(source="folder", path=str(root), max_images=8, image_size=4)
    images = load(settings, ("cat", "dog"), channels=3)
    assert images.origin == "own"
    assert (len(images.train), len(images.test)) == (15, 5)
    assert images.train.images.shape[1:] == images.test.images.shape[1:] == (3, 8, 8)
    assert images.test.labels.tolist() == [0, 0, 0, 1, 1]


def test_images_that_the_study_left_out_are_a_test_it_never_saw() -> None:
    settings = DataSettings(max_images=400, recalibration_images=20)
    images, study = load(settings, DIGITS), load_images(settings, 3)
    assert images.origin == "left out"
    assert (len(images.train), len(images.test)) == (400, 1797 - 400)
    seen = rows(study.train) | rows(study.validation) | rows(study.recalibration)
    assert rows(images.train) == seen
    # Two digits of the set are equal to the pixel, by chance.
    assert len(rows(images.test) & seen) <= 2


def test_images_left_out_beyond_a_test_are_trained_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(final_images, "_LEAST_TESTED", 50)
    settings = DataSettings(max_images=400, recalibration_images=20)
    images, study = load(settings, DIGITS), load_images(settings, 3)
    assert images.origin == "left out"
    assert (len(images.train), len(images.test)) == (1797 - 359, 359)
    assert set(images.test.labels.tolist()) == set(range(10))
    seen = rows(study.train) | rows(study.validation) | rows(study.recalibration)
    assert seen <= rows(images.train)
    assert len(rows(images.test) & rows(images.train)) <= 2  # equal by chance
    assert rows(load(settings, DIGITS).test) == rows(images.test)


def test_a_study_of_all_images_leaves_its_validation_images() -> None:
    settings = DataSettings(recalibration_images=100)
    images, study = load(settings, DIGITS), load_images(settings, 3)
    assert images.origin == "validation"
    assert torch.equal(images.test.images[:], study.validation.images[:])
    assert rows(images.train) == rows(study.train) | rows(study.recalibration)
    assert "may be a little too high" in TEST_ORIGINS["validation"]


def test_a_validation_folder_is_the_test_where_nothing_else_is(make_folder: MakeFolder) -> None:
    root = make_folder({"train/cat": 6, "train/dog": 9, "val/cat": 3, "val/dog": 2})
    settings = DataSettings(source="folder", path=str(root), recalibration_images=2)
    images, study = load(settings, ("cat", "dog"), channels=3), load_images(settings, 3)
    assert images.origin == "validation"
    assert (len(images.train), images.test.labels.tolist()) == (15, [0, 0, 0, 1, 1])
    assert rows(images.test) == rows(study.validation)
    left_out = load(settings.model_copy(update={"max_images": 8}), ("cat", "dog"), channels=3)
    assert (left_out.origin, len(left_out.train), len(left_out.test)) == ("left out", 8, 7)


def test_test_images_that_are_training_images_too_are_left_out(make_folder: MakeFolder) -> None:
    root = make_folder({"train/cat": 6, "train/dog": 9, "test/cat": 3, "test/dog": 2})
    settings = DataSettings(source="folder", path=str(root))
    shutil.copyfile(root / "train" / "cat" / "0001.png", root / "test" / "cat" / "0000.png")
    images = load(settings, ("cat", "dog"), channels=3)
    assert images.test.labels.tolist() == [0, 0, 1, 1]
    assert images.warnings == ("1 of 5 test images left out: training images too",)
    assert not rows(images.test) & rows(images.train)
    shutil.rmtree(root / "test")
    shutil.copytree(root / "train", root / "test")
    with pytest.raises(DataError, match="every test image is a training image too"):
        load(settings, ("cat", "dog"), channels=3)


def test_test_images_that_labelled_architectures_are_left_out(make_folder: MakeFolder) -> None:
    root = make_folder({"train/cat": 6, "train/dog": 9, "val/cat": 3, "val/dog": 2, "test/cat": 3, "test/dog": 2})
    settings = DataSettings(source="folder", path=str(root))
    shutil.copyfile(root / "val" / "cat" / "0001.png", root / "test" / "cat" / "0000.png")
    images = load(settings, ("cat", "dog"), channels=3)
    assert images.origin == "own"
    assert images.test.labels.tolist() == [0, 0, 1, 1]
    assert images.warnings == ("1 of 5 test images left out: validation images too",)
    shutil.rmtree(root / "test")
    shutil.copytree(root / "val", root / "test")
    with pytest.raises(DataError, match="every test image is a validation image too"):
        load(settings, ("cat", "dog"), channels=3)


def test_left_out_images_that_labelled_architectures_are_left_out_of_the_test(make_folder: MakeFolder) -> None:
    root = make_folder({"train/cat": 8, "train/dog": 9, "val/cat": 3, "val/dog": 2})
    settings = DataSettings(source="folder", path=str(root), max_images=8, recalibration_images=2)
    free = load(settings, ("cat", "dog"), channels=3)
    copied = next(path for path in sorted((root / "train" / "dog").iterdir()) if _is_tested(path, free))
    shutil.copyfile(copied, root / "val" / "dog" / "0000.png")
    images = load(settings, ("cat", "dog"), channels=3)
    assert (images.origin, len(images.test)) == ("left out", len(free.test) - 1)
    assert images.warnings == ("1 of 9 test images left out: validation images too",)


def _is_tested(path: Path, images: FinalImages) -> bool:
    pixels = square_pixels(Image.open(path), 8, "RGB")
    return bytes(pixels.tobytes()) in rows(images.test)


def test_other_classes_than_in_the_study_are_refused(make_folder: MakeFolder) -> None:
    root = make_folder({"cat": 6, "dog": 9})
    settings = DataSettings(source="folder", path=str(root))
    with pytest.raises(DataError, match="other classes now than in the study: cat, dog instead of cat, eel"):
        load(settings, ("cat", "eel"), channels=3)


@pytest.mark.parametrize("most", [None, 40])
@pytest.mark.parametrize("change", ["added", "removed"])
def test_of_a_changed_folder_nothing_that_the_study_used_is_a_test(
    make_folder: MakeFolder, most: int | None, change: str
) -> None:
    root = make_folder({"cat": 30, "dog": 30})
    settings = DataSettings(source="folder", path=str(root), max_images=most, image_size=4, recalibration_images=8)
    study = load_images(settings, 3)
    if change == "added":
        shutil.copy(make_folder({"eel": 1}, under="other") / "eel" / "0000.png", root / "cat" / "!.png")
    else:
        (root / "dog" / "0000.png").unlink()
    images = load(settings, ("cat", "dog"), channels=3, changed_since=study)
    left = {row for part in (study.train, study.recalibration) for row in rows(part)}
    left |= rows(study.validation) if images.origin == "left out" else set()
    small = load(settings, ("cat", "dog"), channels=3, image_size=4, changed_since=study)
    assert not rows(small.test) & left
    assert len(small.test) == len(images.test) > 3
    assert any(warning.endswith("left out: the study used them") for warning in images.warnings), images.warnings
    with_all = load(settings, ("cat", "dog"), channels=3, image_size=4)
    assert rows(with_all.test) & left


def test_an_unreadable_image_that_the_study_did_not_open_is_left_out_of_the_test(make_folder: MakeFolder) -> None:
    root = make_folder({"cat": 20, "dog": 20})
    settings = DataSettings(source="folder", path=str(root), max_images=20)
    used = stratified_subset(np.repeat([0, 1], 20), 20, ("cat", "dog"), 3)
    unused = next(index for index in range(20) if index not in used)
    sorted((root / "cat").iterdir())[unused].write_bytes(b"no image")
    images = load(settings, ("cat", "dog"), channels=3)
    assert (images.origin, len(images.test)) == ("left out", 19)
    assert any("cannot be read" in text or "left out" in text for text in (*images.notes, *images.warnings))


def test_images_that_check_an_export_are_of_all_classes(make_folder: MakeFolder) -> None:
    root = make_folder({"train/cat": 6, "train/dog": 6, "test/cat": 30, "test/dog": 30})
    images = load(DataSettings(source="folder", path=str(root)), ("cat", "dog"), channels=3)
    checked = {row.numpy().tobytes() for row in images.checked(0, 20)}
    of_class = [images.normalise(images.test.images[images.test.labels == label]) for label in (0, 1)]
    counts = [sum(row.numpy().tobytes() in checked for row in part) for part in of_class]
    assert sum(counts) == 20
    assert min(counts) >= 5


def test_a_few_images_that_the_study_left_out_are_no_test(make_folder: MakeFolder) -> None:
    root = make_folder({"cat": 27, "dog": 27, "owl": 27})
    settings = DataSettings(source="folder", path=str(root), max_images=80, recalibration_images=6, image_size=4)
    images = load(settings, ("cat", "dog", "owl"), channels=3)
    assert images.origin == "validation"
    assert (len(images.train), len(images.test)) == (48, 32)
    # As many as the validation images are enough, if they are of all classes.
    half = load(settings.model_copy(update={"max_images": 54}), ("cat", "dog", "owl"), channels=3)
    assert half.origin == "left out"
    assert set(half.test.labels.tolist()) == {0, 1, 2}

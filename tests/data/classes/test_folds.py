"""Properties of folds that hold for any images: each is a validation image once, and never where it is trained on."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from surrogate_nas.data.classes.folds import check_folds, fold_of, fold_parts, usual_folds, validation_labels
from surrogate_nas.data.images import DataSplits, ImageSet
from surrogate_nas.data.splits import split_images
from surrogate_nas.errors import DataError

MakeSplits = Callable[..., DataSplits]
COUNTS = st.lists(st.integers(8, 60), min_size=2, max_size=5)


def splits_of(counts: list[int], fraction: float = 0.4, seed: int = 0) -> DataSplits:
    """Returns images of which each has its own number in its pixels."""
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    pixels = np.stack([np.arange(len(labels)) % 256, np.arange(len(labels)) // 256], axis=1).astype(np.uint8)
    images = ImageSet(
        torch.from_numpy(pixels[:, :, None, None]),
        torch.from_numpy(labels.astype(np.int64)),
        tuple(f"class {one}" for one in range(len(counts))),
    )
    return split_images(images, validation_fraction=fraction, recalibration_images=20, seed=seed, native_image_size=1)


def numbers(images: ImageSet) -> set[int]:
    return {int(low) + 256 * int(high) for low, high in images.images[:].flatten(1).tolist()}


@given(COUNTS, st.integers(2, 6), st.floats(0.1, 0.6), st.integers(0, 99))
def test_every_image_validates_once_and_is_not_trained_on_there(
    counts: list[int], folds: int, fraction: float, seed: int
) -> None:
    splits = splits_of(counts, fraction, seed)
    try:
        check_folds(splits, folds)
    except DataError:
        return
    everyone, validated = set(range(sum(counts))), []
    for fold in range(folds):
        one = fold_of(splits, fold, folds)
        parts = [numbers(part) for part in (one.train, one.validation, one.recalibration)]
        assert sum(map(len, parts)) == len(everyone)
        assert set().union(*parts) == everyone
        assert set(one.train.labels.tolist()) == set(one.validation.labels.tolist()) == set(range(len(counts)))
        rest = len(everyone) - len(parts[1])
        assert 1 <= len(parts[2]) <= max(1, min(len(splits.recalibration), rest // 5))
        validated += sorted(parts[1])
    assert sorted(validated) == sorted(everyone)


@given(COUNTS, st.integers(3, 6))
def test_validation_parts_beside_the_study_s_are_of_one_size_and_in_proportion(counts: list[int], folds: int) -> None:
    splits = splits_of(counts)
    sizes = np.stack([np.bincount(one, minlength=len(counts)) for one in validation_labels(splits, folds)[1:]])
    assert np.ptp(sizes.sum(axis=1)) <= 1
    assert (np.ptp(sizes, axis=0) <= 1).all()


def test_the_first_fold_is_the_study_s_division(make_splits: MakeSplits) -> None:
    splits = make_splits(images=60)
    assert fold_of(splits, 0, 4) is splits
    (first,) = fold_parts(splits, 1)
    assert [len(part) for part in first] == [len(splits.train), len(splits.validation), len(splits.recalibration)]
    assert first.validation.tolist() == list(range(len(splits.train), len(splits.train) + len(splits.validation)))


def test_a_fold_is_normalised_and_balanced_as_the_study(make_splits: MakeSplits) -> None:
    splits = make_splits(images=60).balanced()
    other = fold_of(splits, 2, 3)
    assert (other.mean, other.std, other.balance) == (splits.mean, splits.std, True)
    assert torch.equal(other.validation.labels, validation_labels(splits, 3)[2])


def test_a_fold_is_the_same_every_time_and_another_than_its_neighbour(make_splits: MakeSplits) -> None:
    splits = make_splits(images=90)
    first, again, next_one = (fold_of(splits, fold, 4) for fold in (1, 1, 2))
    assert torch.equal(first.train.images[:], again.train.images[:])
    assert not torch.equal(first.validation.images[:], next_one.validation.images[: len(first.validation)])


@pytest.mark.parametrize(("fraction", "expected"), [(0.5, 2), (0.4, 3), (0.25, 4), (0.1, 5)])
def test_usual_folds_have_validation_parts_like_the_study_s(fraction: float, expected: int) -> None:
    assert usual_folds(splits_of([60, 60, 60, 60], fraction)) == expected


def test_small_classes_have_fewer_folds() -> None:
    splits = splits_of([60, 5], 0.1)  # four of the five images are outside the validation part
    assert usual_folds(splits) == 5
    check_folds(splits, 5)
    with pytest.raises(DataError, match=r"labels\.folds = 6: class 'class 1' has 4 images outside .* and needs 5; set"):
        check_folds(splits, 6)
    assert usual_folds(splits_of([60, 4], 0.1)) == 4


def test_two_folds_train_on_the_validation_images() -> None:
    check_folds(splits_of([8, 8], 0.25), 2)
    with pytest.raises(DataError, match=r"labels\.folds = 2: a class has 1 validation image; set labels\.folds to 3"):
        check_folds(splits_of([8, 8], 0.125), 2)


def test_a_class_with_one_validation_image_has_three_usual_folds() -> None:
    splits = splits_of([60, 3], 0.5)
    assert int(splits.validation.labels.bincount().min()) == 1
    assert usual_folds(splits) == 3
    check_folds(splits, 3)

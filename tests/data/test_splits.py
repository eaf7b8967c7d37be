"""Properties of the division that hold for any labels: disjoint, complete, in proportion, repeatable."""

import re
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from surrogate_nas.data.images import DataSplits, ImageSet, channel_statistics
from surrogate_nas.data.splits import (
    FEWEST_PER_CLASS,
    apportion,
    check_classes,
    split_images,
    stratified_parts,
    stratified_subset,
)
from surrogate_nas.errors import DataError

MakeSplits = Callable[..., DataSplits]
class_counts = st.lists(st.integers(FEWEST_PER_CLASS, 60), min_size=2, max_size=8)


def labels_of(counts: list[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))


def names_of(counts: list[int]) -> tuple[str, ...]:
    return tuple(f"class {k}" for k in range(len(counts)))


@given(st.lists(st.integers(1, 100), min_size=1, max_size=20), st.integers(0, 500))
def test_apportioning_without_tight_bounds_is_by_largest_remainders(counts: list[int], total: int) -> None:
    array = np.array(counts)
    shares = apportion(array, total, 0, array)
    total = min(total, sum(counts))
    quotas = array * total / sum(counts)
    assert shares.sum() == total
    assert (np.abs(shares - quotas) < 1 + 1e-9).all()
    rounded_up = shares > quotas
    if rounded_up.any() and (~rounded_up).any():
        fraction = quotas - np.floor(quotas)
        assert fraction[rounded_up].min() >= fraction[shares == np.floor(quotas)].max(initial=0) - 1e-9


@given(class_counts, st.floats(0.05, 0.9), st.integers(1, 200), st.integers(0, 2**32))
def test_parts_are_disjoint_complete_and_in_proportion(
    counts: list[int], fraction: float, recalibration: int, seed: int
) -> None:
    labels = labels_of(counts)
    parts = stratified_parts(labels, names_of(counts), fraction, recalibration, seed)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(labels)))
    in_train, in_validation, in_recalibration = (np.bincount(labels[part], minlength=len(counts)) for part in parts)
    assert in_train.min() >= 1
    assert in_validation.min() >= 1
    rest = len(labels) - len(parts.validation)
    assert 1 <= len(parts.recalibration) <= max(1, min(recalibration, rest // 5))
    exact = np.array(counts) * fraction
    # Where no class is so small that its bounds decide, each gets its share to within one image.
    if (exact >= 1).all() and (np.array(counts) - exact >= 3).all():
        assert len(parts.validation) == round(len(labels) * fraction)
        assert (np.abs(in_validation - exact) < 1.5).all()
        expected = (np.array(counts) - in_validation) * len(parts.recalibration) / rest
        assert (np.abs(in_recalibration - expected) < 1 + 1e-9).all()


@given(class_counts, st.integers(0, 1000))
def test_the_division_is_that_of_the_seed(counts: list[int], seed: int) -> None:
    def divide(seed: int) -> list[list[int]]:
        return [part.tolist() for part in stratified_parts(labels_of(counts), names_of(counts), 0.4, 5, seed)]

    assert divide(seed) == divide(seed)
    if sum(counts) > 40:
        assert divide(seed) != divide(seed + 1)


def test_the_first_images_of_a_part_are_of_all_classes() -> None:
    labels = np.repeat(np.arange(10), 500)
    for part in stratified_parts(labels, names_of([500] * 10), 0.4, 500, seed=3):
        assert np.bincount(labels[part[:200]], minlength=10).min() >= 5


@given(class_counts, st.integers(6, 300), st.integers(0, 1000))
def test_a_subset_has_its_size_and_keeps_every_class(counts: list[int], size: int, seed: int) -> None:
    labels = labels_of(counts)
    size = max(size, FEWEST_PER_CLASS * len(counts))
    chosen = stratified_subset(labels, size, names_of(counts), seed)
    assert len(chosen) == min(size, len(labels))
    assert (np.diff(chosen) > 0).all()
    check_classes(labels[chosen], names_of(counts))


def test_a_subset_too_small_for_its_classes_is_refused() -> None:
    with pytest.raises(DataError, match=re.escape("at least 15, 3 for each of 5 classes (got 14)")):
        stratified_subset(labels_of([9] * 5), 14, names_of([9] * 5), seed=0)


def test_classes_with_too_few_images_are_named() -> None:
    counts = [5, 2, 1, 0, 2]
    message = (
        "at least 3 images, to train, validate and recalibrate with (got too few: 'class 1' has 2, 'class 2' has 1"
    )
    with pytest.raises(DataError, match=re.escape(message)) as caught:
        check_classes(labels_of(counts), names_of(counts))
    assert "'class 3' has 0 and 1 more class)" in str(caught.value)


def test_mean_and_deviation_are_of_the_training_part_alone(make_splits: MakeSplits) -> None:
    splits = make_splits(images=60)
    assert (splits.mean, splits.std) == channel_statistics(splits.train.images)
    assert splits.mean != channel_statistics(splits.validation.images)[0]


def test_the_fingerprint_tells_divisions_apart(make_splits: MakeSplits) -> None:
    splits = make_splits()
    whole = ImageSet(
        torch.cat([splits.train.images[:], splits.validation.images[:], splits.recalibration.images[:]]),
        torch.cat([splits.train.labels, splits.validation.labels, splits.recalibration.labels]),
        splits.class_names,
    )
    fingerprints = {
        split_images(
            whole, validation_fraction=fraction, recalibration_images=10, seed=seed, native_image_size=6
        ).fingerprint
        for fraction in (0.3, 0.5)
        for seed in (0, 1)
    }
    assert len(fingerprints) == 4


def test_fewer_recalibration_images_than_asked_for_are_noted(make_splits: MakeSplits) -> None:
    assert make_splits(images=200).notes == ()
    splits = make_splits(images=60)
    assert len(splits.recalibration) == 8  # a fifth of the 42 that are not validated on
    assert splits.notes == (
        "8 images instead of 10 recalibrate batch norms: at most a fifth of the images outside the validation part",
    )

"""Dividing labelled images by class and seed.

Symbols:
    N: images; K: classes.
"""

import hashlib
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from surrogate_nas._support.words import count_of
from surrogate_nas.data.images import DataSplits, ImageSet, channel_statistics
from surrogate_nas.errors import DataError

FEWEST_PER_CLASS = 3
RECALIBRATION_DIVISOR = 5  # at most a fifth of the images that are not validated on
NAMES_SHOWN = 3


class Parts(NamedTuple):
    """Indices of the images of each part, each in random order."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    recalibration: NDArray[np.int64]


def apportion(
    counts: NDArray[np.int64], total: int, least: NDArray[np.int64] | int, most: NDArray[np.int64] | int
) -> NDArray[np.int64]:
    """Divides ``total`` in proportion to ``counts`` by largest remainders, within bounds per class.

    Args:
        counts: Images per class, shape (K,), at least one image in all.
        total: What to divide; brought between the sums of the bounds.
        least: Smallest share per class, shape (K,) or one for all.
        most: Largest share per class, shape (K,) or one for all.

    Returns:
        Shares, shape (K,), which sum to ``total``.
    """
    low, high = np.broadcast_to(least, counts.shape), np.broadcast_to(most, counts.shape)
    total = int(np.clip(total, low.sum(), high.sum()))
    exact = counts * (total / counts.sum())
    shares: NDArray[np.int64] = np.clip(np.floor(exact).astype(np.int64), low, high)
    while (missing := total - int(shares.sum())) != 0:
        if missing > 0:
            shares[np.argmax(np.where(shares < high, exact - shares, -np.inf))] += 1
        else:
            shares[np.argmax(np.where(shares > low, shares - exact, -np.inf))] -= 1
    return shares


def check_classes(labels: NDArray[np.int64], class_names: tuple[str, ...]) -> None:
    """Raises DataError unless every class has enough images for a split.

    Args:
        labels: Class of each image, shape (N,).
        class_names: Names of the K classes.
    """
    counts = np.bincount(labels, minlength=len(class_names))
    if (few := np.flatnonzero(counts < FEWEST_PER_CLASS)).size:
        listed = ", ".join(f"{class_names[k]!r} has {counts[k]}" for k in few[:NAMES_SHOWN])
        more = (
            f" and {count_of(few.size - NAMES_SHOWN, 'more class', 'more classes')}" if few.size > NAMES_SHOWN else ""
        )
        raise DataError(
            f"every class needs at least {FEWEST_PER_CLASS} images, to train, validate and recalibrate with "
            f"(got too few: {listed}{more}); add images, or remove the class"
        )


def stratified_subset(
    labels: NDArray[np.int64], size: int, class_names: tuple[str, ...], seed: int
) -> NDArray[np.int64]:
    """Indices of ``size`` images, ascending, the same share of every class and no class without its least number.

    Args:
        labels: Class of each image, shape (N,), as ``check_classes`` wants them.
        size: Images to choose, if there are more.
        class_names: Names of the K classes.
        seed: Seed of the choice.

    Raises:
        DataError: If ``size`` has not room for every class.
    """
    if size >= len(labels):
        return np.arange(len(labels))
    counts = np.bincount(labels, minlength=len(class_names))
    if size < (smallest := FEWEST_PER_CLASS * len(class_names)):
        raise DataError(
            f"data.max_images must be at least {smallest}, {FEWEST_PER_CLASS} for each of {len(class_names)} classes "
            f"(got {size})"
        )
    return _first_of_each(labels, apportion(counts, size, FEWEST_PER_CLASS, counts), np.random.default_rng([seed, 0]))


def proportional_subset(labels: NDArray[np.int64], size: int, classes: int, seed: int) -> NDArray[np.int64]:
    """Indices of ``size`` images, ascending, the same share of every class and at least one of each that has any.

    Args:
        labels: Class of each image, shape (N,).
        size: Images to choose, if there are more; at least the number of classes.
        classes: Number of classes K.
        seed: Seed of the choice.
    """
    if size >= len(labels):
        return np.arange(len(labels))
    counts = np.bincount(labels, minlength=classes)
    shares = apportion(counts, size, np.minimum(counts, 1), counts)
    return _first_of_each(labels, shares, np.random.default_rng([seed, 2]))


def _first_of_each(labels: NDArray[np.int64], shares: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Returns indices of so many images of each class, drawn at random, ascending."""
    members = _shuffled_members(labels, len(shares), rng)
    return np.sort(np.concatenate([of_class[:share] for of_class, share in zip(members, shares, strict=True)]))


def stratified_parts(
    labels: NDArray[np.int64],
    class_names: tuple[str, ...],
    validation_fraction: float | None,
    recalibration_images: int,
    seed: int,
) -> Parts:
    """Divides images into training, validation and recalibration, every class in proportion.

    Which image goes where depends on the labels and the seed alone, not on how large images are decoded.

    Args:
        labels: Class of each image, shape (N,).
        class_names: Names of the K classes.
        validation_fraction: Share of the images to validate with; None for no validation part.
        recalibration_images: Images to recalibrate with, at most a fifth of those not validated with.
        seed: Seed of the division.

    Returns:
        Disjoint indices that together are 0..N-1; every class is in the training part, and in the validation part
        where there is one.

    Raises:
        DataError: If a class has too few images.
    """
    check_classes(labels, class_names)
    counts = np.bincount(labels, minlength=len(class_names))
    validation = (
        np.zeros_like(counts)
        if validation_fraction is None
        else apportion(counts, round(len(labels) * validation_fraction), 1, counts - 2)
    )
    rest = counts - validation
    recalibrated = max(1, min(recalibration_images, int(rest.sum()) // RECALIBRATION_DIVISOR))
    recalibration = apportion(rest, recalibrated, 0, rest - 1)
    rng = np.random.default_rng([seed, 1])
    train, held_out, statistics = [], [], []
    for of_class, first, second in zip(
        _shuffled_members(labels, len(class_names), rng), validation, validation + recalibration, strict=True
    ):
        held_out.append(of_class[:first])
        statistics.append(of_class[first:second])
        train.append(of_class[second:])
    # Classes are mixed, so that the first so many images of a part are a fair sample of it.
    return Parts(*(rng.permutation(np.concatenate(part)) for part in (train, held_out, statistics)))


def split_images(
    images: ImageSet,
    *,
    validation_fraction: float,
    recalibration_images: int,
    seed: int,
    native_image_size: int,
    validation: ImageSet | None = None,
) -> DataSplits:
    """Divides images as ``stratified_parts`` does and measures the training part.

    Args:
        images: The images.
        validation_fraction: Share of them to validate with, unless ``validation`` is given.
        recalibration_images: Images to recalibrate with, at most a fifth of those not validated with.
        seed: Seed of the division.
        native_image_size: Median of the image files' short sides.
        validation: Images to validate with instead.

    Raises:
        DataError: If a class has too few images.
    """
    fraction = validation_fraction if validation is None else None
    parts = stratified_parts(images.labels.numpy(), images.class_names, fraction, recalibration_images, seed)
    train, own, recalibration = (images.take(torch.from_numpy(part)) for part in parts)
    is_own = validation is not None
    if validation is None:
        validation = own
    else:  # a folder has its images by class
        order = np.random.default_rng([seed, 3]).permutation(len(validation))
        validation = validation.take(torch.from_numpy(order))
    notes: tuple[str, ...] = ()
    if len(recalibration) < recalibration_images:
        notes = (
            f"{count_of(len(recalibration), 'image')} instead of {recalibration_images:,} recalibrate batch norms: at"
            " most a fifth of the images outside the validation part",
        )
    mean, std = channel_statistics(train.images)
    joint = _joint([train, validation, recalibration])
    return DataSplits(
        train, validation, recalibration, mean, std, native_image_size, joint, notes, own_validation=is_own
    )


def _shuffled_members(labels: NDArray[np.int64], classes: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    return [rng.permutation(np.flatnonzero(labels == k)) for k in range(classes)]


def _joint(parts: list[ImageSet]) -> str:
    return hashlib.blake2b("".join(part.fingerprint() for part in parts).encode(), digest_size=8).hexdigest()

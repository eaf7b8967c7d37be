"""Folds of a study's images: each image is a validation image in one of them, and in no other.

The first fold is the study's own division, so that what is made of it never saw the study's validation images. The
images outside its validation part are divided among the other folds, every class in proportion.

Symbols:
    N: images of all three parts; F: folds; K: classes.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray

from surrogate_nas._support.words import count_of
from surrogate_nas.data.images import DataSplits, ImageSet
from surrogate_nas.data.splits import RECALIBRATION_DIVISOR, Parts, apportion
from surrogate_nas.errors import DataError

_MOST_USUAL = 5


def usual_folds(splits: DataSplits) -> int:
    """Returns the number of folds whose validation parts are about as large as the study's, 2 to 5.

    Raises:
        DataError: If a class has too few images for two folds.
    """
    parts = (splits.train, splits.validation, splits.recalibration)
    wanted = math.ceil(sum(map(len, parts)) / len(splits.validation))
    folds = max(2, min(_MOST_USUAL, wanted, 1 + int(_outside(splits).min())))
    if folds == 2 and int(splits.validation.labels.bincount(minlength=len(splits.class_names)).min()) < 2:
        folds = 3  # two folds need two validation images of every class, and three do not
    check_folds(splits, folds)
    return folds


def check_folds(splits: DataSplits, folds: int) -> None:
    """Raises DataError unless every class has images to validate with and to train on in each of F folds."""
    counts, held_out = _outside(splits), splits.validation.labels.bincount(minlength=len(splits.class_names))
    if folds == 2 and int(held_out.min()) < 2:
        # The second fold is trained and recalibrated on the study's validation images alone.
        raise DataError(
            "labels.folds = 2: a class has 1 validation image; set labels.folds to 3 or more, or add images"
        )
    fewest = int(counts.argmin())
    if folds > 1 and counts[fewest] < max(2, folds - 1):
        raise DataError(
            f"labels.folds = {folds}: class {splits.class_names[fewest]!r} has {count_of(int(counts[fewest]), 'image')}"
            f" outside the validation part, and needs {max(2, folds - 1)}; set fewer folds, or add images"
        )


def fold_parts(splits: DataSplits, folds: int) -> list[Parts]:
    """Returns the parts of every fold, as positions among training, validation and recalibration images one by one.

    Args:
        splits: The study's division, of N images.
        folds: Number of folds F, as ``check_folds`` allows it.

    Returns:
        F divisions; within each the parts are disjoint and together 0..N-1. A recalibration part is as large as the
        study's, and at most a fifth of the images not validated with.
    """
    labels = _labels(splits)
    ends = np.cumsum([len(splits.train), len(splits.validation), len(splits.recalibration)])
    of_fold = np.zeros(len(labels), dtype=np.int64)
    outside = np.setdiff1d(np.arange(len(labels)), np.arange(ends[0], ends[1]))
    if folds > 1:
        # Parts are in random order, so that dealing a class's images out in turn is a random division.
        in_turn = outside[np.argsort(labels[outside], kind="stable")]
        of_fold[in_turn] = 1 + np.arange(len(in_turn)) % (folds - 1)
    first = Parts(np.arange(ends[0]), np.arange(ends[0], ends[1]), np.arange(ends[1], ends[2]))
    return [first, *(_divided(labels, of_fold == fold, len(splits.recalibration)) for fold in range(1, folds))]


def fold_of(splits: DataSplits, fold: int, folds: int) -> DataSplits:
    """Returns the division of one fold, normalised as the study's images are.

    Args:
        splits: The study's division.
        fold: Which fold, from 0; fold 0 is the study's division itself.
        folds: Number of folds F.
    """
    if fold == 0:
        return splits
    parts = (splits.train, splits.validation, splits.recalibration)
    everything = ImageSet(
        torch.cat([part.images[:] for part in parts]), torch.cat([part.labels for part in parts]), splits.class_names
    )
    train, validation, recalibration = (
        everything.take(torch.from_numpy(positions).to(everything.labels.device))
        for positions in fold_parts(splits, folds)[fold]
    )
    return DataSplits(
        train,
        validation,
        recalibration,
        splits.mean,
        splits.std,
        splits.native_image_size,
        splits.fingerprint,
        balance=splits.balance,
        weighted=splits.weighted,
    )


def validation_labels(splits: DataSplits, folds: int) -> list[torch.Tensor]:
    """Returns the classes of each fold's validation images in their order."""
    labels = torch.from_numpy(_labels(splits))
    return [labels[torch.from_numpy(parts.validation)] for parts in fold_parts(splits, folds)]


def _labels(splits: DataSplits) -> NDArray[np.int64]:
    parts = (splits.train, splits.validation, splits.recalibration)
    return np.concatenate([part.labels.cpu().numpy() for part in parts])


def _outside(splits: DataSplits) -> NDArray[np.int64]:
    """Returns the number of images of each class outside the validation part, shape (K,)."""
    labels = torch.cat([splits.train.labels, splits.recalibration.labels])
    return np.asarray(labels.bincount(minlength=len(splits.class_names)).cpu().numpy(), dtype=np.int64)


def _divided(labels: NDArray[np.int64], validated: NDArray[np.bool_], recalibration: int) -> Parts:
    """Returns the parts of a fold by its validation images, (N,)."""
    rest = np.flatnonzero(~validated)
    counts = np.bincount(labels[rest], minlength=int(labels.max()) + 1)
    most = max(1, min(recalibration, len(rest) // RECALIBRATION_DIVISOR))
    shares = apportion(counts, most, 0, np.maximum(counts - 1, 0))
    # The last ones of each class: these recalibrate in the first fold too, unless this one validates with them.
    rank = np.empty(len(rest), dtype=np.int64)
    for label, count in enumerate(counts):
        rank[labels[rest] == label] = np.arange(count)
    statistics = rank >= (counts - shares)[labels[rest]]
    return Parts(rest[~statistics], np.flatnonzero(validated), rest[statistics])

"""Images of each class, by the class that a model names for them, and what follows from it.

Symbols:
    N: images; K: classes.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.deploy.accuracy import Accuracy

Confusion = Mapping[str, Mapping[str, int]]
"""Number of images by their class, and then by the class that was named; zeros are left out."""


class Mistake(NamedTuple):
    """One class that was taken for another, and in how many images."""

    true: str
    named: str
    images: int


def confusion_of(labels: NDArray[np.int64], named: NDArray[np.int64], class_names: Sequence[str]) -> Confusion:
    """Counts images by their class and by the named one.

    Args:
        labels: Class of each image, shape (N,).
        named: Class that the model names, shape (N,).
        class_names: Names of the K classes.
    """
    pairs, counts = np.unique(np.stack([labels, named]), axis=1, return_counts=True)
    found: dict[str, dict[str, int]] = {}
    for true, other, count in zip(*pairs.tolist(), counts.tolist(), strict=True):
        found.setdefault(class_names[true], {})[class_names[other]] = count
    return found


def recalls(confusion: Confusion) -> dict[str, Accuracy]:
    """Returns the accuracy on the images of each class that has any."""
    return {name: Accuracy.of(row.get(name, 0), sum(row.values())) for name, row in confusion.items()}


def balanced(classes: Iterable[Accuracy]) -> Accuracy:
    """Returns the mean of the accuracies on each class: the balanced accuracy.

    Its 95% interval follows from theirs: squared distances of their ends add up, as they do for differences of shares
    (Newcombe, 1998).
    """
    each = list(classes)
    mean = sum(one.percent for one in each) / len(each)
    below = math.hypot(*(one.percent - one.low for one in each)) / len(each)
    above = math.hypot(*(one.high - one.percent for one in each)) / len(each)
    return Accuracy(mean, mean - below, mean + above, sum(one.images for one in each))


def mistakes(confusion: Confusion) -> list[Mistake]:
    """Returns all pairs of classes of which one was taken for the other, the most frequent first."""
    found = [
        Mistake(true, named, images)
        for true, row in confusion.items()
        for named, images in row.items()
        if named != true
    ]
    return sorted(found, key=lambda one: (-one.images, one.true, one.named))

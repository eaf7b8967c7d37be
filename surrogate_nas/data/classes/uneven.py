"""Classes of unequal size, found and named."""

import numpy as np
from numpy.typing import NDArray

from surrogate_nas._support.words import count_of

UNEVEN = 4  # times as many images as the smallest class has, from which on a class is much larger


def imbalance(labels: NDArray[np.int64], class_names: tuple[str, ...]) -> str | None:
    """Returns a warning where a class has four times as many images as another; None where none has.

    Args:
        labels: Class of each image, shape (N,), at least one image of each.
        class_names: Names of the K classes.
    """
    counts = np.bincount(labels, minlength=len(class_names))
    largest, smallest = int(counts.argmax()), int(counts.argmin())
    if counts[largest] < UNEVEN * counts[smallest]:
        return None
    return (
        f"classes differ in size: {class_names[largest]!r} has {count_of(int(counts[largest]), 'image')},"
        f" {class_names[smallest]!r} has {counts[smallest]:,}; every accuracy counts images, so that large classes"
        " decide it, and small ones may go wrong unseen; count classes the same with --set data.balance=true"
    )

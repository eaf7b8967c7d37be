"""The images of a source before anything is decoded."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image


@dataclass(frozen=True, eq=False)
class ImageSource:
    """Labelled images that can be opened one by one, from several threads at a time.

    Attributes:
        open_image: Opens image i; the caller closes it. Pixels may be decoded later, when they are first used.
        describe: Name of image i in messages, such as its file.
        labels: Index of each image's class, shape (N,).
        class_names: Name of each class.
        notes: Sentences for the report on what was left out.
        warnings: Sentences on what may be wrong with the images.
    """

    open_image: Callable[[int], Image.Image]
    describe: Callable[[int], str]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

"""The handwritten digits that come inside scikit-learn: no download, 1,797 grey images of 8x8 pixels."""

from pathlib import Path

import numpy as np
from PIL import Image

from surrogate_nas.data.image_source import ImageSource
from surrogate_nas.errors import DataError

INK_LEVELS = 16  # pixels of the set are 0..16


def open_digits(path: Path | None = None) -> ImageSource:
    """Opens the digits with pixels scaled from 0..16 to 0..255.

    Source: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998 (its test part).

    Args:
        path: Must be None; every source is opened with a path.

    Raises:
        DataError: If a path is given.
    """
    if path is not None:
        raise DataError(
            f"the source 'digits' takes no path (got {path}); for your own images set data.source = \"folder\""
        )
    from sklearn.datasets import load_digits  # slow to import, and only needed here

    bunch = load_digits()
    pixels = np.rint(bunch.images * (255 / INK_LEVELS)).astype(np.uint8)
    return ImageSource(
        open_image=lambda index: Image.fromarray(pixels[index]),
        describe=lambda index: f"digit {index}",
        labels=bunch.target.astype(np.int64),
        class_names=tuple(str(name) for name in bunch.target_names),
    )

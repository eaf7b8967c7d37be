"""The one thing that a source computes."""

import numpy as np
from PIL import Image

from surrogate_nas.data.image_source import ImageSource


def test_a_source_has_as_many_images_as_labels() -> None:
    source = ImageSource(
        open_image=lambda index: Image.new("L", (2, 2), index),
        describe=str,
        labels=np.zeros(7, int),
        class_names=("a",),
    )
    assert len(source) == 7

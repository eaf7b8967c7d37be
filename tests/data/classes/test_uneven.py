"""Classes are called uneven from four times as many images on."""

import numpy as np

from surrogate_nas.data.classes.uneven import UNEVEN, imbalance


def test_four_times_as_many_images_are_named_with_the_remedy() -> None:
    names = ("ant", "bee", "cat")
    assert imbalance(np.repeat([0, 1, 2], [4 * UNEVEN - 1, 4, 9]), names) is None
    text = imbalance(np.repeat([0, 1, 2], [4 * UNEVEN, 4, 9]), names)
    assert text is not None
    assert "'ant' has 16 images, 'bee' has 4" in text
    assert text.endswith("--set data.balance=true")

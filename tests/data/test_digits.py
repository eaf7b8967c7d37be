"""The digits against scikit-learn's own array."""

import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from surrogate_nas.data.digits import open_digits
from surrogate_nas.errors import DataError


def test_pixels_span_black_to_white_and_keep_their_order() -> None:
    source = open_digits()
    bunch = load_digits()
    pixels = np.stack([np.asarray(source.open_image(index)) for index in range(len(source))])
    assert pixels.shape == (1797, 8, 8)
    assert pixels.dtype == np.uint8
    assert (pixels.min(), pixels.max()) == (0, 255)
    np.testing.assert_array_equal(np.round(pixels / 255 * 16), bunch.images)
    np.testing.assert_array_equal(source.labels, bunch.target)
    assert source.class_names == tuple("0123456789")


def test_a_path_is_refused_with_the_way_to_own_images() -> None:
    with pytest.raises(DataError, match=re.escape('(got photos); for your own images set data.source = "folder"')):
        open_digits(Path("photos"))

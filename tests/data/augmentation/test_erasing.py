"""Erased boxes are rectangles of zeros in the share of images that was asked for."""

import numpy as np
import torch

from surrogate_nas.data.augmentation.erasing import erased, inside


def test_a_share_of_the_images_has_one_rectangle_of_zeros_each() -> None:
    images = torch.ones(2000, 3, 16, 16)
    result = erased(images, 0.3, np.random.default_rng(1))
    zeros = (result == 0).all(dim=1)
    assert torch.equal(zeros, (result == 0).any(dim=1))  # in all channels or in none
    areas = zeros.flatten(1).float().mean(dim=1)
    touched = areas > 0
    assert abs(touched.float().mean().item() - 0.3) < 0.04
    assert areas.max() < 0.45
    for mask in zeros[touched][:50]:
        rows, columns = mask.any(dim=1), mask.any(dim=0)
        assert torch.equal(mask, rows[:, None] & columns[None])
        assert int(rows.diff().sum()) <= 2  # one run of rows
    assert torch.equal(images, torch.ones_like(images))


def test_none_and_all() -> None:
    images = torch.ones(50, 1, 32, 32)
    assert torch.equal(erased(images, 0.0, np.random.default_rng(1)), images)
    assert (erased(images, 1.0, np.random.default_rng(1)) == 0).flatten(1).any(dim=1).all()


def test_pixels_whose_centre_is_in_the_box_are_inside() -> None:
    mask = inside(np.array([[0.25, 0.5, 0.5, 0.25], [0.0, 0.0, 1.0, 1.0]]), 4)
    assert mask.shape == (2, 1, 4, 4)
    expected = torch.zeros(4, 4, dtype=torch.bool)
    expected[1:3, 2] = True
    assert torch.equal(mask[0, 0], expected)
    assert mask[1].all()

"""Images resized."""

import torch
from torch.nn import functional as F

from surrogate_nas.nets.resize import resized, resizing


def test_images_of_the_size_stay_as_they_are() -> None:
    images = torch.randn(2, 3, 5, 5)
    assert resized(images, 5) is images


def test_values_are_taken_between_centres_of_pixels() -> None:
    image = torch.arange(4.0).reshape(1, 1, 1, 4).expand(1, 1, 4, 4)
    # Centres of two pixels lie at 0.5 and 2.5 of four, those of three at 1/6, 3/2 and 17/6.
    assert resizing(4, 2)(image)[0, 0, 0].tolist() == [0.5, 2.5]
    torch.testing.assert_close(resizing(4, 3)(image)[0, 0, 1], torch.tensor([1 / 6, 1.5, 17 / 6]))


def test_memory_order_changes_nothing() -> None:
    images = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(resized(images, 6), resized(images.to(memory_format=torch.channels_last), 6))
    torch.testing.assert_close(resized(images, 6), F.interpolate(images, scale_factor=0.75, mode="bilinear"))

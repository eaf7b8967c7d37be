"""Image sets: what they refuse, what their fingerprint sees, and normalisation against torch's own statistics."""

import re

import pytest
import torch

from surrogate_nas.data.images import ImageSet, channel_statistics, normalise
from surrogate_nas.errors import DataError


def noise(count: int = 20, channels: int = 3, size: int = 5, seed: int = 0) -> ImageSet:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (count, channels, size, size), dtype=torch.uint8, generator=generator)
    return ImageSet(images, torch.arange(count) % 3, ("ape", "bee", "cat"))


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (torch.zeros(2, 3, 4, 4), torch.zeros(2, dtype=torch.int64), "(got float32 of shape (2, 3, 4, 4))"),
        (torch.zeros(2, 4, 4, dtype=torch.uint8), torch.zeros(2, dtype=torch.int64), "(got uint8 of shape (2, 4, 4))"),
        (torch.zeros(2, 3, 4, 4, dtype=torch.uint8), torch.zeros(3, dtype=torch.int64), "(got int64 of shape (3,))"),
        (torch.zeros(2, 3, 4, 4, dtype=torch.uint8), torch.zeros(2), "(got float32 of shape (2,))"),
        (torch.zeros(2, 3, 4, 4, dtype=torch.uint8), torch.tensor([0, 2]), "in 0..1, one of the classes (got 0..2)"),
        (torch.zeros(2, 3, 4, 4, dtype=torch.uint8), torch.tensor([-1, 0]), "in 0..1, one of the classes (got -1..0)"),
    ],
)
def test_tensors_that_are_no_images_are_refused(images: torch.Tensor, labels: torch.Tensor, message: str) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        ImageSet(images, labels, ("ape", "bee"))


def test_the_fingerprint_is_of_the_content_and_not_of_the_order() -> None:
    images = noise()
    shuffled = images.take(torch.randperm(len(images), generator=torch.Generator().manual_seed(1)))
    assert re.fullmatch("[0-9a-f]{16}", images.fingerprint())
    assert images.fingerprint() == noise().fingerprint() == shuffled.fingerprint()


def test_the_fingerprint_sees_every_change() -> None:
    images = noise()
    brighter, relabelled = images.images[:].clone(), images.labels.clone()
    brighter[7, 1, 2, 3] ^= 1
    relabelled[4] = (relabelled[4] + 1) % 3
    others = [
        ImageSet(brighter, images.labels, images.class_names),
        ImageSet(images.images, relabelled, images.class_names),
        ImageSet(images.images, images.labels, ("ape", "bee", "cow")),
        ImageSet(images.images[:].reshape(20, 1, 15, 5), images.labels, images.class_names),
        images.take(torch.arange(19)),
        images.take(torch.tensor([*range(19), 18])),
    ]
    assert len({images.fingerprint(), *(other.fingerprint() for other in others)}) == 1 + len(others)


def test_in_order_gives_every_image_once() -> None:
    images = noise(20)
    batches = list(images.in_order(8))
    assert [len(labels) for _, labels in batches] == [8, 8, 4]
    assert torch.equal(torch.cat([batch for batch, _ in batches]), images.images[:])
    assert torch.equal(torch.cat([labels for _, labels in batches]), images.labels)
    with pytest.raises(DataError, match=re.escape("at least 1 image (got 0)")):
        next(images.in_order(0))


def test_statistics_are_those_of_torch() -> None:
    images = noise(3000, size=4).images[:]
    mean, std = channel_statistics(images)
    floats = (images.double() / 255).transpose(0, 1).flatten(1)
    assert mean == pytest.approx(floats.mean(dim=1).tolist(), abs=1e-12)
    assert std == pytest.approx(floats.std(dim=1, correction=0).tolist(), abs=1e-12)


def test_normalised_images_have_mean_0_and_deviation_1() -> None:
    images = noise(500).images[:]
    normalised = normalise(images, *channel_statistics(images))
    assert normalised.dtype == torch.float32
    assert normalised.mean(dim=(0, 2, 3)).abs().max() < 1e-5
    assert (normalised.std(dim=(0, 2, 3), correction=0) - 1).abs().max() < 1e-5


def test_normalising_leaves_the_images_as_they_were() -> None:
    images = noise().images[:]
    before = images.clone()
    normalise(images, (0.5, 0.5, 0.5), (0.2, 0.2, 0.2))
    assert torch.equal(images, before)


def test_images_of_one_colour_do_not_divide_by_zero() -> None:
    images = torch.full((4, 1, 3, 3), 128, dtype=torch.uint8)
    assert normalise(images, *channel_statistics(images)).abs().max() < 1e-4

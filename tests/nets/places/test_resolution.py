"""Images resized, alone and within a supernet."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from surrogate_nas.nets.places.resolution import SharedResolution, resized
from surrogate_nas.space.kinds.chain.elastic import ElasticSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.supernet.shared_network import SharedNetwork, initialise

SIZES = NetworkSpec(4, 1, 12, input_channels=2, classes=5, stages=2)


@pytest.mark.parametrize(("choice", "side"), [(0, 9), (1, 12)])
def test_a_subnet_sees_images_of_its_size(choice: int, side: int) -> None:
    space = load_space("quick_elastic")
    assert isinstance(space, ElasticSpace)
    shared = SharedNetwork(space, SIZES)
    initialise(shared, 0)
    first = shared.layers[0][0]  # type: ignore[index]
    assert isinstance(first, SharedResolution)
    assert list(first.weights_of(0)) == list(first.parameters()) == []
    images, code = torch.randn(6, 2, 12, 12), [choice, 0, 1, 2, 0, 0, 2]
    assert torch.equal(first(images, code), resized(images, side))
    chain = SharedNetwork(space.chain, replace(SIZES, image_size=side))
    for ours, theirs in zip(chain.layers, shared.layers[1:], strict=True):
        ours.load_state_dict(theirs.state_dict())
    assert torch.equal(shared(images, code), chain(resized(images, side), code[1:]))


def test_images_of_the_size_stay_as_they_are() -> None:
    images = torch.randn(2, 3, 5, 5)
    assert resized(images, 5) is images


def test_memory_order_changes_nothing() -> None:
    images = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(resized(images, 6), resized(images.to(memory_format=torch.channels_last), 6))
    torch.testing.assert_close(resized(images, 6), F.interpolate(images, scale_factor=0.75, mode="bilinear"))

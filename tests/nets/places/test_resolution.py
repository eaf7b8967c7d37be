"""Resizing within a supernet."""

from dataclasses import replace

import pytest
import torch

from surrogate_nas.nets.places.resolution import SharedResolution
from surrogate_nas.nets.resize import resized
from surrogate_nas.space.kinds.chain.elastic import ResolutionSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.supernet.shared_network import SharedNetwork, initialise

SIZES = NetworkSpec(4, 1, 12, input_channels=2, classes=5, stages=2)


@pytest.mark.parametrize(("choice", "side"), [(0, 9), (1, 12)])
def test_a_subnet_sees_images_of_its_size(choice: int, side: int) -> None:
    space = load_space("quick_elastic")
    assert isinstance(space, ResolutionSpace)
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

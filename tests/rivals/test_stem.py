"""Strides of first layers go where images are small, channels of the input are set, and results stay the same."""

import pytest
import torch
from torch import nn

from surrogate_nas.rivals.rival import Interface
from surrogate_nas.rivals.rival_network import RivalNetwork
from surrogate_nas.rivals.stem import (
    PHOTO,
    SMALLEST_MAP,
    fit_strides,
    halving_layers,
    set_strides_apart,
    strides_too_many,
    take_channels,
)
from surrogate_nas.rivals.table import RIVALS


@pytest.mark.parametrize(
    ("image_size", "strides", "gone"),
    [
        *[(224, 5, 0), (128, 5, 0), (127, 5, 0), (96, 5, 1), (64, 5, 1), (32, 5, 2), (16, 5, 3), (8, 5, 4)],
        *[(28, 5, 2), (56, 5, 1), (112, 5, 0), (7, 5, 4), (4, 5, 5), (2, 5, 5), (64, 4, 0), (32, 4, 1), (224, 0, 0)],
    ],
)
def test_as_many_strides_go_as_the_last_map_needs(image_size: int, strides: int, gone: int) -> None:
    assert strides_too_many(image_size, strides) == gone


@pytest.mark.quick_cases(9)
@pytest.mark.parametrize("name", [name for name, row in RIVALS.items() if row.is_for_photos and row.is_installed])
@pytest.mark.parametrize("size", [16, 32, 96])
def test_the_last_map_is_as_small_as_the_rule_says(name: str, size: int) -> None:
    with torch.device("meta"):
        network = RivalNetwork(name, 1.0, Interface(3, size, 10)).build().eval()
        sides: list[int] = []
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d):
                layer.register_forward_hook(lambda _layer, _given, made: sides.append(made.shape[-1]))
        with torch.no_grad():
            network(torch.empty(1, 3, size, size))
    # Squeeze and excitation convolve single pixels.
    last = min(side for side in sides if side > 1)
    # SqueezeNet has layers without padding.
    assert SMALLEST_MAP - (name == "squeezenet1_1") <= last < 2 * SMALLEST_MAP


def small() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, 2, 1, bias=False),
        nn.MaxPool2d(3, 2, 1),
        nn.Conv2d(4, 4, 1, 2, bias=False),
        nn.Conv2d(4, 4, 3, 1, 1),
    )


def test_levels_are_found_by_the_size_of_their_maps() -> None:
    with torch.device("meta"):
        assert halving_layers(small()) == (("0",), ("1",), ("2",))


def test_a_pooling_without_its_stride_goes_away() -> None:
    network = small()
    fit_strides(network, (("0",), ("1",), ("2",)), 8)
    assert isinstance(network[1], nn.Identity)
    assert network[0].stride == (1, 1)
    assert network[2].stride == (2, 2)


def test_photos_keep_every_stride() -> None:
    network = small()
    fit_strides(network, (("0",), ("1",), ("2",)), PHOTO)
    assert network[0].stride == (2, 2)
    assert isinstance(network[1], nn.MaxPool2d)


def test_the_first_convolution_takes_other_channels() -> None:
    network = small()
    take_channels(network, 1)
    assert network(torch.zeros(1, 1, 32, 32)).shape[1] == 4
    before = small()
    first = before[0]
    take_channels(before, 3)
    assert before[0] is first


def test_strides_apart_change_no_result() -> None:
    torch.manual_seed(0)
    network, images = small().eval(), torch.randn(2, 3, 32, 32)
    expected = network(images)
    set_strides_apart(network)
    assert not any(
        layer.kernel_size == (1, 1) and layer.stride != (1, 1)
        for layer in network.modules()
        if isinstance(layer, nn.Conv2d)
    )
    torch.testing.assert_close(network(images), expected)

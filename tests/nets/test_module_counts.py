"""Counts of modules on the meta device, against the descriptions of built-in blocks and against plain cases."""

import pytest
import torch
from torch import Tensor, nn

from surrogate_nas.nets.blocks import build_block
from surrogate_nas.nets.module_counts import count_module
from surrogate_nas.space.operations.families import find_block
from surrogate_nas.space.operations.spec import Shape

SHAPES = [Shape(4, 4, 6, 6), Shape(4, 10, 6, 3), Shape(6, 2, 7, 4), Shape(8, 8, 5, 3)]
NAMES = [
    *("skip", "conv_bn_relu_k1", "conv_bn_relu_k3", "dsconv_k3", "mbconv_k3_e1", "mbconv_k5_e6", "mbconv_k3_e1_g2"),
    *("basic_k3", "bottleneck_k3_r4", "fused_k3_e2"),
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_built_in_blocks_are_counted_as_they_say(name: str, shape: Shape) -> None:
    with torch.device("meta"):
        found = count_module(build_block(name, shape), shape)
    said = find_block(name)
    assert found.result == (shape.out_channels, shape.out_size, shape.out_size)
    assert (found.parameters, found.flops) == (said.parameters(shape), said.flops(shape))
    assert found.reach == (0 if name == "skip" else said.reach)
    if name != "mbconv_k3_e1_g2":  # the shuffle's own map is left out there
        assert found.alive == said.alive(shape)


class Branches(nn.Module):
    """A convolution whose halves are seen as views, one of them through two more convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(4, 4, 3, padding=1)
        self.second = nn.Conv2d(2, 2, 3, padding=2, dilation=2)
        self.third = nn.Conv2d(2, 2, (1, 5), padding=(0, 2))

    def forward(self, x: Tensor) -> Tensor:
        left, right = self.first(x).chunk(2, dim=1)
        return torch.cat([left, self.third(self.second(right))], dim=1)


def test_branches_reach_as_far_as_the_furthest_and_views_are_no_maps() -> None:
    with torch.device("meta"):
        found = count_module(Branches(), Shape(4, 4, 6, 6))
    assert found.reach == 1 + 2 + 2
    # The first map of four channels, which its views keep alive, the third's of two, and all four together.
    assert found.alive == (4 + 2 + 4) * 36
    assert found.parameters == sum(weight.numel() for weight in Branches().parameters())


@pytest.mark.parametrize("result", [3, None, (torch.zeros(1),), torch.zeros(2, 4, 6, 6), torch.tensor(1.0)], ids=str)
def test_what_is_no_tensor_of_one_image_has_no_shape(result: object) -> None:
    class Odd(nn.Module):
        def forward(self, _x: Tensor) -> object:
            return result

    assert count_module(Odd(), Shape(4, 4, 6, 6)).result is None


def test_a_module_that_only_reads_its_input_makes_nothing() -> None:
    found = count_module(nn.Identity(), Shape(4, 4, 6, 6))
    assert (found.parameters, found.flops, found.alive, found.reach) == (0, 0, 0, 0)

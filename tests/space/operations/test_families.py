"""The descriptions of blocks agree with the modules that are built under their names."""

import re

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from surrogate_nas.errors import SpaceError
from surrogate_nas.nets.blocks import build_block
from surrogate_nas.space.operations.families import find_block, parse_block, squeezed, structure_of
from surrogate_nas.space.operations.spec import Shape

NAMES = [
    "identity",
    "skip",
    "conv_bn_relu_k1",
    "conv_bn_relu_k3",
    "dsconv_k3",
    "mbconv_k3_e1",
    "mbconv_k5_e6",
    "mbconv_k7_e3_se",
    "mbconv_k3_e1_g2",
    "mbconv_k5_e3_g2_se",
    "conv_bn_hs_k3",
    "conv_bn_re_k7",
    "mbconv_k3_e2_hs",
    "mbconv_k5_e4_se_hs",
    "basic_k3",
    "basic_k5",
    "bottleneck_k3_r4",
    "bottleneck_k5_r2",
    "fused_k3_e1",
    "fused_k5_e4_se_hs",
    "mbconv_k3_h13_re",
    "mbconv_k5_h72_se_re",
    "mbconv_k5_h40_se_hs",
    "dsres_k3",
    "dsres_k5_se",
]
SHAPES = [Shape(4, 4, 6, 6), Shape(4, 10, 6, 3), Shape(6, 2, 7, 4), Shape(8, 8, 5, 3), Shape(2, 6, 1, 1)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_a_block_costs_what_torch_counts(name: str, shape: Shape) -> None:
    spec = find_block(name)
    if not (shape.keeps or spec.changes_shape):
        return
    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        module = build_block(name, shape).eval()
        result = module(torch.empty(1, shape.in_channels, shape.in_size, shape.in_size))
    assert result.shape == (1, shape.out_channels, shape.out_size, shape.out_size)
    assert spec.parameters(shape) == sum(weight.numel() for weight in module.parameters())
    assert 2 * spec.flops(shape) == counter.get_total_flops()
    assert (spec.is_identity and shape.keeps) == isinstance(module, nn.Identity)
    # One convolution of a block sees more than its own pixel, or two in a row do.
    reaches = [part.kernel_size[0] // 2 for part in module.modules() if isinstance(part, nn.Conv2d)]
    assert spec.reach == sum(reaches)


def test_nonlinear_functions_are_those_of_the_paper() -> None:
    """EFS-NAS, arXiv 2412.14678: two a block, four with squeeze and excitation."""
    counts = {name: find_block(name).nonlinear_functions for name in NAMES}
    assert counts["mbconv_k5_e6"] == counts["mbconv_k3_e1_g2"] == 2
    assert counts["mbconv_k7_e3_se"] == counts["mbconv_k5_e3_g2_se"] == 4
    assert counts["identity"] == counts["skip"] == 0
    assert counts["conv_bn_relu_k3"] == counts["dsconv_k3"] == 1


def test_a_name_is_taken_apart() -> None:
    parsed = parse_block("mbconv_k5_e6_g2_se")
    assert (parsed.family, dict(parsed.numbers), parsed.squeeze) == ("mbconv", {"k": 5, "e": 6, "g": 2}, True)
    assert not parsed.hard_swish
    assert parse_block("mbconv_k5_e6_g2_se_hs").hard_swish
    assert not parse_block("mbconv_k5_e6_hs").squeeze
    absolute = parse_block("mbconv_k5_h960_se_re")
    assert (dict(absolute.numbers), absolute.squeeze, absolute.relu) == ({"k": 5, "h": 960}, True, True)
    assert absolute.hidden(Shape(160, 160, 7, 7)) == 960
    assert parsed.hidden(Shape(16, 24, 7, 7)) == 96


@pytest.mark.parametrize(("hidden", "expected"), [(16, 8), (72, 24), (120, 32), (240, 64), (672, 168), (960, 240)])
def test_rounded_squeezes_are_those_of_mobilenet_v3(hidden: int, expected: int) -> None:
    """Channels of ``fc1`` in torchvision's networks."""
    assert squeezed(hidden, rounded=True) == expected
    assert squeezed(hidden) == hidden // 4


def test_kernel_and_hidden_channels_change_no_structure() -> None:
    assert structure_of("mbconv_k3_h336_se_hs") == structure_of("mbconv_k5_h672_se_hs") == "mbconv_se_hs"
    assert structure_of("mbconv_k3_h40_re") == "mbconv_re"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mbcnv_k3_e3", "unknown block 'mbcnv_k3_e3'; choose from dsconv_kN, mbconv_kN_hN"),
        ("", "unknown block ''"),
        ("mbconv", "the block 'mbconv' is not written like "),
        ("mbconv_e3_k3", "the block 'mbconv_e3_k3' is not written like "),
        ("mbconv_k3_e0", "the block 'mbconv_k3_e0' is not written like "),
        ("mbconv_k3_e3_e3", "is not written like "),
        ("mbconv_k3_e300", "is not written like "),
        ("dsconv_k3_se", "is not written like "),
        ("mbconv_k3_e3_hs_se", "is not written like "),
        ("mbconv_k3_hs_e3", "is not written like "),
        ("mbconv_k3_e3_se_se", "is not written like "),
        ("identity_k3", "is not written like "),
        ("mbconv_k3_h10000", "of h below 10,000"),
        ("mbconv_k3_e3_h40", "is not written like "),
        ("mbconv_k3_h40_g2", "is not written like "),
        ("mbconv_k3_e3_re_hs", "is not written like "),
        ("fused_k3_h40", "is not written like "),
        ("mbconv_k4_e3", "the kernel k of block 'mbconv_k4_e3' must be odd"),
    ],
)
def test_a_name_that_is_none_is_refused(name: str, message: str) -> None:
    with pytest.raises(SpaceError, match=re.escape(message)):
        find_block(name)

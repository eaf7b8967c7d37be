"""The description of each operation agrees with the module that is built under its name."""

import re

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from surrogate_nas.nets.operations import build_operation
from surrogate_nas.space.operations.spec import Shape
from surrogate_nas.space.operations.table import OPERATIONS, operation_spec
from tests.hardware.live_maps import LiveMaps

STRIDES = pytest.mark.parametrize("stride", [1, 2])


def test_nonlinear_functions_are_those_of_the_papers() -> None:
    """EFS-NAS, arXiv 2412.14678, on NAS-Bench-201; a separable convolution of DARTS has two (arXiv 1806.09055)."""
    counts = {name: spec.nonlinear_functions for name, spec in OPERATIONS.items()}
    assert counts == {
        "none": 0,
        "skip_connect": 0,
        "avg_pool_3x3": 0,
        "max_pool_3x3": 0,
        "nor_conv_1x1": 1,
        "nor_conv_3x3": 1,
        "conv_bn_relu_1x1": 1,
        "conv_bn_relu_3x3": 1,
        "sep_conv_3x3": 2,
        "sep_conv_5x5": 2,
        "dil_conv_3x3": 1,
        "dil_conv_5x5": 1,
    }


@pytest.mark.parametrize("name", OPERATIONS)
@STRIDES
def test_an_operation_is_what_its_module_is(name: str, stride: int) -> None:
    spec = operation_spec(name, stride)
    module = build_operation(name, 6, stride=stride).eval()
    x = torch.randn(2, 6, 6, 6, generator=torch.Generator().manual_seed(0))
    assert spec.is_zero == (not module(x).any())
    assert spec.is_identity == torch.equal(module(x), x)
    assert spec.nonlinear_functions == sum(isinstance(part, nn.ReLU) for part in module.modules())


@pytest.mark.parametrize("name", OPERATIONS)
@STRIDES
@pytest.mark.parametrize(("channels", "size"), [(1, 2), (3, 6), (16, 32)])
def test_an_operation_costs_what_torch_counts(name: str, channels: int, size: int, stride: int) -> None:
    spec = operation_spec(name, stride)
    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        module = build_operation(name, channels, stride=stride).eval()
        module(torch.empty(1, channels, size, size))
    shape = Shape(channels, channels, size, size // stride)
    assert spec.parameters(shape) == sum(weight.numel() for weight in module.parameters())
    assert 2 * spec.flops(shape) == counter.get_total_flops()


@pytest.mark.parametrize("name", OPERATIONS)
@STRIDES
@pytest.mark.parametrize(("channels", "size"), [(1, 4), (3, 6)])
def test_an_operation_has_alive_what_its_module_has(name: str, channels: int, size: int, stride: int) -> None:
    with torch.device("meta"), torch.no_grad():
        module, x = build_operation(name, channels, stride=stride).eval(), torch.empty(1, channels, size, size)
        with LiveMaps(0) as maps:
            module(x)
    assert 4 * operation_spec(name, stride).alive(Shape(channels, channels, size, size // stride)) == maps.peak


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_reach_is_how_far_away_a_convolution_still_feels_a_pixel(name: str) -> None:
    spec, module = OPERATIONS[name], build_operation(name, 2).eval()
    if not spec.nonlinear_functions:
        assert spec.reach == 0
        return
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.ones_(part.weight)
    x = torch.ones(1, 2, 21, 21, requires_grad=True)
    module(x)[0, 0, 10, 10].backward()
    assert x.grad is not None
    felt = x.grad[0, 0].nonzero()
    assert int((felt - 10).abs().max()) == spec.reach


def test_names_can_be_written_in_an_architecture() -> None:
    """They stand between the marks ``|``, ``~`` and ``+``."""
    assert all(re.fullmatch("[a-z0-9_]+", name) for name in OPERATIONS)

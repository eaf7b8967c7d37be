"""The operations against torch functions, and their names against those that a space may use."""

import re

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from surrogate_nas.errors import SpaceError
from surrogate_nas.nets.normalization import RecordingBatchNorm
from surrogate_nas.nets.operations import FactorizedReduce, build_operation
from surrogate_nas.space.operations.table import OPERATIONS


def test_exactly_the_operations_that_a_space_may_use_can_be_built() -> None:
    with pytest.raises(
        SpaceError, match=re.escape(f"unknown operation 'nil'; choose from {', '.join(OPERATIONS)}") + "$"
    ):
        build_operation("nil", 4)
    for name in OPERATIONS:
        build_operation(name, 4)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("size", [1, 2, 7])
def test_every_operation_keeps_the_shape_or_halves_the_size(name: str, size: int) -> None:
    x = torch.randn(3, 5, size, size)
    assert build_operation(name, 5)(x).shape == x.shape
    assert build_operation(name, 5, stride=2)(x).shape == (3, 5, -(-size // 2), -(-size // 2))


@pytest.mark.parametrize(("name", "padding"), [("nor_conv_1x1", 0), ("nor_conv_3x3", 1)])
def test_a_convolution_comes_after_its_activation_and_before_its_norm(name: str, padding: int) -> None:
    torch.manual_seed(0)
    module = build_operation(name, 4)
    (conv,) = (part for part in module.modules() if isinstance(part, nn.Conv2d))
    x = torch.randn(3, 4, 5, 5)
    expected = F.batch_norm(F.conv2d(F.relu(x), conv.weight, padding=padding), None, None, training=True)
    torch.testing.assert_close(module(x), expected)


def test_pooling_averages_over_the_pixels_there_are() -> None:
    x = torch.arange(9.0).reshape(1, 1, 3, 3)
    expected = torch.tensor([[2.0, 2.5, 3.0], [3.5, 4.0, 4.5], [5.0, 5.5, 6.0]])
    torch.testing.assert_close(build_operation("avg_pool_3x3", 1)(x)[0, 0], expected)


def test_the_normalisation_is_the_one_asked_for() -> None:
    kinds = [type(part) for part in build_operation("nor_conv_3x3", 4, RecordingBatchNorm).modules()]
    assert RecordingBatchNorm in kinds
    assert nn.BatchNorm2d not in kinds


def test_a_factorized_reduction_takes_the_pixels_of_two_diagonals() -> None:
    module = FactorizedReduce(1, 2, lambda _channels: nn.Identity())
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.ones_(part.weight)
    y = module(torch.arange(16.0).reshape(1, 1, 4, 4))
    assert y.tolist() == [[[[0, 2], [8, 10]], [[5, 7], [13, 15]]]]


@pytest.mark.parametrize("name", ["nor_conv_1x1", "conv_bn_relu_1x1"])
def test_a_1x1_convolution_of_every_second_pixel_is_one_of_stride_2(name: str) -> None:
    module = build_operation(name, 3, stride=2)
    (convolution,) = (part for part in module.modules() if isinstance(part, nn.Conv2d))
    x = torch.rand(2, 3, 6, 6)
    expected = F.batch_norm(F.conv2d(x, convolution.weight, stride=2), None, None, training=True)
    torch.testing.assert_close(module(x), expected.relu() if name == "conv_bn_relu_1x1" else expected)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("channels", [2, 4])
def test_gradients_of_few_channels_in_channels_last_order_are_those_of_the_other_order(
    name: str, channels: int
) -> None:
    """In a process whose memory torch damages by its own stride, the test would end here."""
    torch.manual_seed(0)
    x = torch.randn(8, channels, 8, 8)
    found = []
    for order in (torch.contiguous_format, torch.channels_last):
        torch.manual_seed(1)
        module = build_operation(name, channels, stride=2).to(memory_format=order)
        given = x.clone(memory_format=order).requires_grad_()
        loss = module(given).square().sum()
        if loss.requires_grad:
            loss.backward()
        found.append(torch.zeros(1) if given.grad is None else given.grad)
    torch.testing.assert_close(*found)


def test_a_separable_convolution_is_two_depthwise_ones_of_which_the_first_has_the_stride() -> None:
    torch.manual_seed(0)
    module = build_operation("sep_conv_5x5", 3, stride=2)
    depthwise, pointwise, again, last = (part for part in module.modules() if isinstance(part, nn.Conv2d))
    x = torch.randn(2, 3, 8, 8)
    given = x
    for deep, point, stride in [(depthwise, pointwise, 2), (again, last, 1)]:
        deepened = F.conv2d(F.relu(x), deep.weight, padding=2, stride=stride, groups=3)
        x = F.batch_norm(F.conv2d(deepened, point.weight), None, None, training=True)
    torch.testing.assert_close(module(given), x)

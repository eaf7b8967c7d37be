"""Blocks against plain torch functions; ``tests/space/test_block_families`` compares what they cost."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from surrogate_nas.nets.blocks import SqueezeExcitation, build_block
from surrogate_nas.nets.normalization import RecordingBatchNorm
from surrogate_nas.space.operations.spec import Shape


def weights(module: nn.Module) -> list[Tensor]:
    return [part.weight for part in module.modules() if isinstance(part, nn.Conv2d)]


def norm(x: Tensor) -> Tensor:
    return F.batch_norm(x, None, None, training=True)


def test_an_inverted_residual() -> None:
    """MobileNetV2, arXiv 1801.04381, figure 4: the sum where the shape stays, none where it does not."""
    torch.manual_seed(0)
    x = torch.randn(3, 4, 6, 6)
    for shape in (Shape(4, 4, 6, 6), Shape(4, 6, 6, 3), Shape(4, 4, 6, 3)):
        block = build_block("mbconv_k5_e3", shape)
        expand, depthwise, project = weights(block)
        y = F.relu6(norm(F.conv2d(x, expand)))
        y = F.relu6(norm(F.conv2d(y, depthwise, stride=shape.stride, padding=2, groups=12)))
        y = norm(F.conv2d(y, project))
        torch.testing.assert_close(block(x), x + y if shape.keeps else y)


def relu_norm(x: Tensor) -> Tensor:
    return F.relu(norm(x))


@pytest.mark.parametrize("shape", [Shape(4, 4, 6, 6), Shape(4, 6, 6, 3), Shape(4, 4, 6, 3)], ids=str)
def test_residual_blocks(shape: Shape) -> None:
    """ResNet, arXiv 1512.03385, figure 5; the shortcut is a 1x1 convolution where the shape changes."""
    torch.manual_seed(0)
    x, stride = torch.randn(3, 4, 6, 6), shape.stride
    basic = build_block("basic_k3", shape)
    first, second, *shortcut = weights(basic)
    beside = norm(F.conv2d(x, shortcut[0], stride=stride)) if shortcut else x
    y = norm(F.conv2d(relu_norm(F.conv2d(x, first, stride=stride, padding=1)), second, padding=1))
    torch.testing.assert_close(basic(x), F.relu(y + beside))
    bottleneck = build_block("bottleneck_k5_r2", shape)
    before, middle, after, *shortcut = weights(bottleneck)
    assert len(middle) == shape.out_channels // 2
    beside = norm(F.conv2d(x, shortcut[0], stride=stride)) if shortcut else x
    y = relu_norm(F.conv2d(relu_norm(F.conv2d(x, before)), middle, stride=stride, padding=2))
    torch.testing.assert_close(bottleneck(x), F.relu(norm(F.conv2d(y, after)) + beside))


def test_a_fused_inverted_residual() -> None:
    """EfficientNetV2, arXiv 2104.00298, figure 2."""
    torch.manual_seed(0)
    x = torch.randn(3, 4, 6, 6)
    for shape in (Shape(4, 4, 6, 6), Shape(4, 6, 6, 3)):
        block = build_block("fused_k3_e3", shape)
        expand, project = weights(block)
        y = F.relu6(norm(F.conv2d(x, expand, stride=shape.stride, padding=1)))
        y = norm(F.conv2d(y, project))
        torch.testing.assert_close(block(x), x + y if shape.keeps else y)


def test_activations_of_v3_are_hard_swishes() -> None:
    """MobileNetV3, arXiv 1905.02244, section 5.2: x times the hard sigmoid of x."""
    torch.manual_seed(0)
    x = torch.randn(3, 4, 5, 5)
    first = build_block("conv_bn_hs_k3", Shape(4, 6, 5, 5))
    (weight,) = weights(first)
    y = norm(F.conv2d(x, weight, padding=1))
    torch.testing.assert_close(first(x), y * F.relu6(y + 3) / 6)
    block = build_block("mbconv_k3_e2_hs", Shape(4, 6, 5, 5))
    expand, depthwise, project = weights(block)
    y = F.hardswish(norm(F.conv2d(x, expand)))
    y = F.hardswish(norm(F.conv2d(y, depthwise, padding=1, groups=8)))
    torch.testing.assert_close(block(x), norm(F.conv2d(y, project)))


def test_groups_are_shuffled_after_the_first_convolution() -> None:
    """FBNet, arXiv 1812.03443, section 3.1."""
    torch.manual_seed(0)
    block = build_block("mbconv_k3_e1_g2", Shape(4, 6, 5, 5))
    expand, depthwise, project = weights(block)
    x = torch.randn(3, 4, 5, 5)
    y = F.relu6(norm(F.conv2d(x, expand, groups=2)))[:, [0, 2, 1, 3]]
    y = F.relu6(norm(F.conv2d(y, depthwise, padding=1, groups=4)))
    torch.testing.assert_close(block(x), norm(F.conv2d(y, project, groups=2)))


def test_squeeze_and_excitation_scales_channels() -> None:
    torch.manual_seed(0)
    gate, x = SqueezeExcitation(8), torch.randn(3, 8, 4, 4)
    assert gate.squeeze.out_channels == 2
    means = x.mean(dim=(2, 3))
    hidden = F.relu(F.linear(means, gate.squeeze.weight.flatten(1), gate.squeeze.bias))
    scale = F.hardsigmoid(F.linear(hidden, gate.excite.weight.flatten(1), gate.excite.bias))
    torch.testing.assert_close(gate(x), x * scale[:, :, None, None])


def test_a_skip_is_a_convolution_only_where_the_shape_changes() -> None:
    torch.manual_seed(0)
    x = torch.randn(3, 4, 6, 6)
    assert build_block("skip", Shape(4, 4, 6, 6))(x) is x
    block = build_block("skip", Shape(4, 8, 6, 3))
    (weight,) = weights(block)
    torch.testing.assert_close(block(x), norm(F.conv2d(x, weight, stride=2)))


def test_a_skip_of_narrow_maps_keeps_to_its_memory() -> None:
    """A 1x1 convolution with a stride does not, in channels-last order (torch 2.14): the process dies of it."""
    block = build_block("skip", Shape(4, 8, 16, 8)).to(memory_format=torch.channels_last)
    x = torch.randn(64, 4, 16, 16).to(memory_format=torch.channels_last).requires_grad_()
    for _ in range(20):
        block(x).square().sum().backward()
    assert x.grad is not None


def test_the_normalisation_is_the_one_asked_for() -> None:
    for name, norms in {"mbconv_k3_e2_se": 3, "dsconv_k3": 2, "conv_bn_relu_k1": 1, "skip": 1}.items():
        block = build_block(name, Shape(4, 6, 4, 4), RecordingBatchNorm)
        assert sum(isinstance(part, RecordingBatchNorm) for part in block.modules()) == norms
        assert not any(isinstance(part, nn.BatchNorm2d) for part in block.modules())

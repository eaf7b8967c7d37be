"""Residual networks for images of 32 pixels (He et al., arXiv 1512.03385, section 4.2): ResNet-20, -32 and -44.

Shortcuts that change shape are 1x1 convolutions with batch-norm (their option B).
"""

from torch import nn

from surrogate_nas.nets.blocks import build_block
from surrogate_nas.space.operations.spec import Shape

_CHANNELS = (16, 32, 64)


def _small_resnet(blocks: int, classes: int, width: float) -> nn.Module:
    """Returns a network of three stages, of so many blocks each."""
    channels = [max(1, round(width * one)) for one in _CHANNELS]
    layers: list[nn.Module] = [
        nn.Conv2d(3, channels[0], 3, padding=1, bias=False),
        nn.BatchNorm2d(channels[0]),
        nn.ReLU(),
    ]
    before = channels[0]
    for stage, out in enumerate(channels):
        for block in range(blocks):
            stride = 2 if stage and not block else 1
            layers.append(build_block("basic_k3", Shape(before, out, stride, 1)))
            before = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, classes))


def resnet20(classes: int, width: float) -> nn.Module:
    """Returns a ResNet-20."""
    return _small_resnet(3, classes, width)


def resnet32(classes: int, width: float) -> nn.Module:
    """Returns a ResNet-32."""
    return _small_resnet(5, classes, width)


def resnet44(classes: int, width: float) -> nn.Module:
    """Returns a ResNet-44."""
    return _small_resnet(7, classes, width)

"""Residual networks for images of 32 pixels (He et al., arXiv 1512.03385, section 4.2): ResNet-20, -32 and -44.

Shortcuts that change shape are 1x1 convolutions with batch-norm (their option B).
"""

import torch
from torch import Tensor, nn

_CHANNELS = (16, 32, 64)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions, and their input added before the last rectifier.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        stride: Of the first convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
            nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        same = stride == 1 and in_channels == out_channels
        self.shortcut = nn.Identity() if same else _projection(in_channels, out_channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, in, S, S) to (B, out, S / stride, S / stride)."""
        return torch.relu(self.shortcut(x) + self.convolutions(x))


def _projection(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels))


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
            layers.append(BasicBlock(before, out, 2 if stage and not block else 1))
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

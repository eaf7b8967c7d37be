"""Builds the operations that a cell chooses from; ``surrogate_nas.space.operations.table`` says what they cost.

The operations come from NAS-Bench-201 (arXiv 2001.00326, figure 1), NAS-Bench-101 (arXiv 1902.09635) and DARTS
(arXiv 1806.09055), at unchanged width.
"""

from collections.abc import Callable
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from surrogate_nas._support.words import choose_from
from surrogate_nas.errors import SpaceError
from surrogate_nas.nets.own_operations import build_own
from surrogate_nas.space.operations.registry import find_own

Norm = Callable[[int], nn.Module]
"""Builds a normalisation for a number of channels."""


class Zero(nn.Module):
    """Cuts its edge.

    Args:
        stride: What the size is divided by.
    """

    def __init__(self, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Zeros of the shape of x, or of half its size."""
        return torch.zeros_like(x[:, :, :: self.stride, :: self.stride])


class ReluConvNorm(nn.Sequential):
    """ReLU, convolution, normalisation.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel: Side of the kernel.
        stride: Stride of the convolution.
        norm: Builds the normalisation.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int, norm: Norm) -> None:
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2, bias=False),
            norm(out_channels),
        )


class ConvNormRelu(nn.Sequential):
    """Convolution, normalisation, ReLU, as in NAS-Bench-101.

    Args:
        channels: Channels of the input and the output.
        kernel: Side of the kernel.
        stride: Stride of the convolution.
        norm: Builds the normalisation.
    """

    def __init__(self, channels: int, kernel: int, stride: int, norm: Norm) -> None:
        super().__init__(
            nn.Conv2d(channels, channels, kernel, stride, padding=kernel // 2, bias=False), norm(channels), nn.ReLU()
        )


class DepthwiseConv(nn.Sequential):
    """ReLU, convolution of each channel by itself, 1x1 convolution, normalisation.

    Args:
        channels: Channels of the input and the output.
        kernel: Side of the kernel.
        stride: Stride of the first convolution.
        dilation: Pixels between those that the kernel sees.
        norm: Builds the normalisation.
    """

    def __init__(self, channels: int, kernel: int, stride: int, dilation: int, norm: Norm) -> None:
        padding = dilation * (kernel // 2)
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(channels, channels, kernel, stride, padding, dilation, groups=channels, bias=False),
            nn.Conv2d(channels, channels, 1, bias=False),
            norm(channels),
        )


def _separable(channels: int, kernel: int, stride: int, norm: Norm) -> nn.Module:
    return nn.Sequential(DepthwiseConv(channels, kernel, stride, 1, norm), DepthwiseConv(channels, kernel, 1, 1, norm))


class EverySecondPixel(nn.Module):
    """Every second pixel of every second row.

    Before a 1x1 convolution it is that convolution at a stride of 2, for whose gradient on CPUs torch 2.14 writes where
    it must not: memory is damaged where there are few channels in channels-last order.

    Args:
        first: First row and column taken, 0 or 1; where 1 is beyond the last one there are zeros.
    """

    def __init__(self, first: int = 0) -> None:
        super().__init__()
        self.first = first

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, C, S, S) to (B, C, S / 2, S / 2), rounded up."""
        if self.first:
            x = F.pad(x, (0, 1, 0, 1))
        return x[:, :, self.first :: 2, self.first :: 2]


class FactorizedReduce(nn.Module):
    """Halves the size with 1x1 convolutions that see every pixel diagonal: half the channels from each of two (DARTS).

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        norm: Builds the normalisation.
    """

    def __init__(self, in_channels: int, out_channels: int, norm: Norm) -> None:
        super().__init__()
        half = out_channels // 2
        self.relu = nn.ReLU()
        # A width of one leaves nothing for the second.
        self.parts = nn.ModuleList(
            nn.Sequential(EverySecondPixel(first), nn.Conv2d(in_channels, width, 1, bias=False))
            for first, width in enumerate((out_channels - half, half))
            if width
        )
        self.norm = norm(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, in, S, S) to (B, out, S / 2, S / 2), rounded up."""
        rectified = self.relu(x)
        y: Tensor = self.norm(torch.cat([part(rectified) for part in self.parts], dim=1))
        return y


def _pointwise(convolution: nn.Module, stride: int) -> nn.Module:
    return nn.Sequential(EverySecondPixel(), convolution) if stride == 2 else convolution


_BUILDERS: MappingProxyType[str, Callable[[int, int, Norm], nn.Module]] = MappingProxyType(
    {
        "none": lambda _channels, stride, _norm: Zero(stride),
        "skip_connect": lambda channels, stride, norm: (
            nn.Identity() if stride == 1 else FactorizedReduce(channels, channels, norm)
        ),
        "nor_conv_1x1": lambda channels, stride, norm: _pointwise(ReluConvNorm(channels, channels, 1, 1, norm), stride),
        "nor_conv_3x3": lambda channels, stride, norm: ReluConvNorm(channels, channels, 3, stride, norm),
        "avg_pool_3x3": lambda _channels, stride, _norm: nn.AvgPool2d(3, stride, padding=1, count_include_pad=False),
        "max_pool_3x3": lambda _channels, stride, _norm: nn.MaxPool2d(3, stride, padding=1),
        "conv_bn_relu_1x1": lambda channels, stride, norm: _pointwise(ConvNormRelu(channels, 1, 1, norm), stride),
        "conv_bn_relu_3x3": lambda channels, stride, norm: ConvNormRelu(channels, 3, stride, norm),
        "sep_conv_3x3": lambda channels, stride, norm: _separable(channels, 3, stride, norm),
        "sep_conv_5x5": lambda channels, stride, norm: _separable(channels, 5, stride, norm),
        "dil_conv_3x3": lambda channels, stride, norm: DepthwiseConv(channels, 3, stride, 2, norm),
        "dil_conv_5x5": lambda channels, stride, norm: DepthwiseConv(channels, 5, stride, 2, norm),
    }
)


def build_operation(name: str, channels: int, norm: Norm = nn.BatchNorm2d, stride: int = 1) -> nn.Module:
    """Returns one operation from (B, channels, H, W) to the same shape, or at a stride of 2 to half the size.

    Raises:
        SpaceError: If the operation is unknown.
    """
    own = find_own(name)
    if own is not None:
        return build_own(own, channels, channels, stride, norm)
    if name not in _BUILDERS:
        raise SpaceError(f"unknown operation {name!r}; {choose_from(_BUILDERS, name)}")
    return _BUILDERS[name](channels, stride, norm)

"""Builds the operations that a cell chooses from; ``surrogate_nas.space.operations`` says what they cost.

The operations are those of NAS-Bench-201 (arXiv 2001.00326, figure 1), at stride 1 and unchanged width.
"""

from collections.abc import Callable
from types import MappingProxyType

import torch
from torch import Tensor, nn

from surrogate_nas.errors import SpaceError

Norm = Callable[[int], nn.Module]
"""Builds a normalisation for a number of channels."""


class Zero(nn.Module):
    """Cuts its edge."""

    def forward(self, x: Tensor) -> Tensor:
        """Zeros of the shape of x."""
        return torch.zeros_like(x)


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


_BUILDERS: MappingProxyType[str, Callable[[int, Norm], nn.Module]] = MappingProxyType(
    {
        "none": lambda _channels, _norm: Zero(),
        "skip_connect": lambda _channels, _norm: nn.Identity(),
        "nor_conv_1x1": lambda channels, norm: ReluConvNorm(channels, channels, 1, 1, norm),
        "nor_conv_3x3": lambda channels, norm: ReluConvNorm(channels, channels, 3, 1, norm),
        "avg_pool_3x3": lambda _channels, _norm: nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False),
    }
)


def build_operation(name: str, channels: int, norm: Norm = nn.BatchNorm2d) -> nn.Module:
    """One operation from (B, channels, H, W) to the same shape.

    Raises:
        SpaceError: If the operation is unknown.
    """
    if name not in _BUILDERS:
        raise SpaceError(f"unknown operation {name!r}; choose from {', '.join(_BUILDERS)}")
    return _BUILDERS[name](channels, norm)

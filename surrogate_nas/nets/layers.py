"""Builds the fixed layers around the cells (NAS-Bench-201, arXiv 2001.00326, section 2)."""

from torch import Tensor, nn

from surrogate_nas.nets.operations import Norm, ReluConvNorm
from surrogate_nas.space.network import Layer


class Reduction(nn.Module):
    """Residual block of stride 2: two convolutions, and average pooling with a 1x1 convolution on the shortcut.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output, at half the size.
        norm: Builds the normalisation.
    """

    def __init__(self, in_channels: int, out_channels: int, norm: Norm) -> None:
        super().__init__()
        self.first = ReluConvNorm(in_channels, out_channels, 3, 2, norm)
        self.second = ReluConvNorm(out_channels, out_channels, 3, 1, norm)
        self.shortcut = nn.Sequential(nn.AvgPool2d(2, stride=2), nn.Conv2d(in_channels, out_channels, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, S, S) to (B, out, S / 2, S / 2)."""
        y: Tensor = self.shortcut(x) + self.second(self.first(x))
        return y


def build_layer(layer: Layer, norm: Norm = nn.BatchNorm2d) -> nn.Module:
    """A fixed layer of a network.

    Raises:
        ValueError: If the layer is a cell, which needs an architecture.
    """
    i, o = layer.in_channels, layer.out_channels
    match layer.kind:
        case "stem":
            return nn.Sequential(nn.Conv2d(i, o, 3, padding=1, bias=False), norm(o))
        case "reduction":
            return Reduction(i, o, norm)
        case "head":
            return nn.Sequential(norm(i), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(i, o))
        case "cell":
            raise ValueError("a cell is built from an architecture, not from its place alone")

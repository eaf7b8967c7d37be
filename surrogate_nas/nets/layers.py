"""Builds the layers that no decision changes; ``surrogate_nas.space.operations.fixed`` says what they cost."""

from collections.abc import Callable, Sequence
from types import MappingProxyType

import torch
from torch import Tensor, nn

from surrogate_nas.errors import SpaceError
from surrogate_nas.nets.blocks import build_block
from surrogate_nas.nets.operations import FactorizedReduce, Norm, ReluConvNorm
from surrogate_nas.nets.slices import Nest
from surrogate_nas.space.network import Layer
from surrogate_nas.space.operations.spec import Shape


class Reduction(nn.Module):
    """Residual block of stride 2: one or two convolutions, in parallel to average pooling with a 1x1 convolution.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output, at half the size.
        norm: Builds the normalisation.
        light: Whether there is a single convolution, which leaves more of the work to the cells.
    """

    def __init__(self, in_channels: int, out_channels: int, norm: Norm, *, light: bool = False) -> None:
        super().__init__()
        self.first = ReluConvNorm(in_channels, out_channels, 3, 2, norm)
        self.second = nn.Identity() if light else ReluConvNorm(out_channels, out_channels, 3, 1, norm)
        self.shortcut = nn.Sequential(nn.AvgPool2d(2, stride=2), nn.Conv2d(in_channels, out_channels, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, in, S, S) to (B, out, S / 2, S / 2)."""
        y: Tensor = self.shortcut(x) + self.second(self.first(x))
        return y


def _stem(shape: Shape, norm: Norm) -> nn.Module:
    i, o = shape.in_channels, shape.out_channels
    return nn.Sequential(nn.Conv2d(i, o, 3, padding=1, bias=False), norm(o))


def _head(shape: Shape, norm: Norm) -> nn.Module:
    i, o = shape.in_channels, shape.out_channels
    return nn.Sequential(norm(i), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(i, o))


def _projection(shape: Shape, norm: Norm) -> nn.Module:
    if shape.in_size == shape.out_size:
        return ReluConvNorm(shape.in_channels, shape.out_channels, 1, 1, norm)
    return FactorizedReduce(shape.in_channels, shape.out_channels, norm)


def _classifier(shape: Shape, _norm: Norm) -> nn.Module:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(shape.in_channels, shape.out_channels))


def _pooled_linear(shape: Shape, _norm: Norm) -> nn.Module:
    i, o = shape.in_channels, shape.out_channels
    mean = (nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return nn.Sequential(*mean, nn.Linear(i, o), nn.Hardswish(), nn.Unflatten(1, (o, 1, 1)))


def _max_pool(shape: Shape, _norm: Norm) -> nn.Module:
    if shape.in_channels != shape.out_channels:
        raise SpaceError(
            f"max_pool_k3 gives as many channels as it takes (got {shape.in_channels} and {shape.out_channels}); give"
            " it the width of the layer before it"
        )
    return nn.MaxPool2d(3, shape.stride, padding=1)


def resizing(side: int, out: int) -> nn.Module:
    """Returns a module from images (B, C, side, side) to (B, C, out, out), bilinear between centres of pixels.

    Not antialiased, which not every runtime is: meant for sides of half the images' and more.
    """
    if side == out:
        return nn.Identity()
    return nn.Upsample((out, out), mode="bilinear", align_corners=False)


_BUILDERS: MappingProxyType[str, Callable[[Shape, Norm], nn.Module]] = MappingProxyType(
    {
        "stem": _stem,
        "reduction": lambda shape, norm: Reduction(shape.in_channels, shape.out_channels, norm),
        "light_reduction": lambda shape, norm: Reduction(shape.in_channels, shape.out_channels, norm, light=True),
        "head": _head,
        "projection": _projection,
        "max_pool_k3": _max_pool,
        "pooling": lambda _shape, _norm: nn.MaxPool2d(2),
        "classifier": _classifier,
        "pooled_linear_hs": _pooled_linear,
        "resize": lambda shape, _norm: resizing(shape.in_size, shape.out_size),
    }
)


def build_layer(layer: Layer, norm: Norm = nn.BatchNorm2d) -> nn.Module:
    """Returns a fixed layer of a network.

    Raises:
        ValueError: If what stands there is searched, which needs an architecture.
        SpaceError: If there is no such layer.
    """
    if not layer.is_fixed:
        raise ValueError(f"a {layer.kind} is built from an architecture, not from its place alone")
    build = _BUILDERS.get(layer.kind)
    return build_block(layer.kind, layer.shape, norm) if build is None else build(layer.shape, norm)


def build_sizes(layers: Sequence[Layer], norm: Norm) -> nn.Module:
    """Returns a fixed layer at all its sizes, the largest last: the layer itself where only pixels differ.

    Otherwise it is a ``Nest`` with a member for each size.

    Raises:
        SpaceError: If no part can be taken of its weights.
    """
    if len({(layer.in_channels, layer.out_channels) for layer in layers}) == 1:
        return build_layer(layers[-1], norm)
    with torch.device("meta"):
        templates = [build_layer(layer, norm) for layer in layers]
    return Nest(templates, layers[-1].kind)

"""Builds the blocks that ``space.operations.families`` names: what a chain chooses from, and fixed layers."""

from collections.abc import Callable
from types import MappingProxyType

import torch
from torch import Tensor, nn

from surrogate_nas.nets.operations import Norm
from surrogate_nas.nets.own_operations import build_own
from surrogate_nas.space.operations.families import BlockName, parse_block, reduced, squeezed
from surrogate_nas.space.operations.registry import find_own
from surrogate_nas.space.operations.spec import Shape


class SqueezeExcitation(nn.Module):
    """Scales channels by what their means say (arXiv 1709.01507), with the hard sigmoid of MobileNetV3.

    Args:
        channels: Number of channels.
        rounded: Whether the channels between its layers are a multiple of 8.
    """

    def __init__(self, channels: int, *, rounded: bool = False) -> None:
        super().__init__()
        between = squeezed(channels, rounded=rounded)
        self.squeeze = nn.Conv2d(channels, between, 1)
        self.excite = nn.Conv2d(between, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, channels, H, W) to the same shape."""
        scale = self.excite(torch.relu(self.squeeze(x.mean(dim=(2, 3), keepdim=True))))
        y: Tensor = x * nn.functional.hardsigmoid(scale)
        return y


class Residual(nn.Sequential):
    """Modules one after another, and their input added at the end."""

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, C, H, W) to the same shape."""
        y: Tensor = super().forward(x)
        return x + y


class Joined(nn.Module):
    """Convolutions and a shortcut whose sum goes through ReLU, as in ResNet (arXiv 1512.03385).

    Args:
        main: Convolutions and normalisations.
        shortcut: Maps the input to the shape of their output.
    """

    def __init__(self, main: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.main, self.shortcut = main, shortcut

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, in, H, W) to (B, out, H', W')."""
        y = self.main(x)
        # Nothing but the sum is kept: a peak of memory is counted as if its parts were let go.
        y = y + self.shortcut(x)
        return torch.relu(y)


def _mbconv(name: BlockName, shape: Shape, norm: Norm) -> nn.Module:
    i, o, g = shape.in_channels, shape.out_channels, name.numbers.get("g", 1)
    h, k = name.hidden(shape), name.numbers["k"]
    activation = nn.Hardswish if name.hard_swish else nn.ReLU if name.relu else nn.ReLU6
    parts = [
        nn.Conv2d(i, h, 1, bias=False, groups=g),
        norm(h),
        activation(),
        *([nn.ChannelShuffle(g)] if g > 1 else []),
        nn.Conv2d(h, h, k, shape.stride, k // 2, groups=h, bias=False),
        norm(h),
        activation(),
        *([SqueezeExcitation(h, rounded="h" in name.numbers)] if name.squeeze else []),
        nn.Conv2d(h, o, 1, bias=False, groups=g),
        norm(o),
    ]
    return Residual(*parts) if shape.keeps else nn.Sequential(*parts)


def _fused(name: BlockName, shape: Shape, norm: Norm) -> nn.Module:
    i, o, k = shape.in_channels, shape.out_channels, name.numbers["k"]
    h = name.numbers["e"] * i
    parts = [
        nn.Conv2d(i, h, k, shape.stride, k // 2, bias=False),
        norm(h),
        nn.Hardswish() if name.hard_swish else nn.ReLU6(),
        *([SqueezeExcitation(h)] if name.squeeze else []),
        nn.Conv2d(h, o, 1, bias=False),
        norm(o),
    ]
    return Residual(*parts) if shape.keeps else nn.Sequential(*parts)


def _basic(name: BlockName, shape: Shape, norm: Norm) -> nn.Module:
    i, o, k = shape.in_channels, shape.out_channels, name.numbers["k"]
    first = [nn.Conv2d(i, o, k, shape.stride, k // 2, bias=False), norm(o), nn.ReLU()]
    second = [nn.Conv2d(o, o, k, padding=k // 2, bias=False), norm(o)]
    return Joined(nn.Sequential(*first, *second), _skip(name, shape, norm))


def _bottleneck(name: BlockName, shape: Shape, norm: Norm) -> nn.Module:
    i, o, k = shape.in_channels, shape.out_channels, name.numbers["k"]
    m = reduced(o, name.numbers["r"])
    main = nn.Sequential(
        *(nn.Conv2d(i, m, 1, bias=False), norm(m), nn.ReLU()),
        *(nn.Conv2d(m, m, k, shape.stride, k // 2, bias=False), norm(m), nn.ReLU()),
        *(nn.Conv2d(m, o, 1, bias=False), norm(o)),
    )
    return Joined(main, _skip(name, shape, norm))


def _dsconv(name: BlockName, shape: Shape, norm: Norm) -> nn.Module:
    i, o, k = shape.in_channels, shape.out_channels, name.numbers["k"]
    depthwise = nn.Conv2d(i, i, k, shape.stride, k // 2, groups=i, bias=False)
    return nn.Sequential(depthwise, norm(i), nn.ReLU6(), nn.Conv2d(i, o, 1, bias=False), norm(o))


def _dsres(name: BlockName, shape: Shape, norm: Norm) -> nn.Module:
    i, o, k = shape.in_channels, shape.out_channels, name.numbers["k"]
    parts = [
        nn.Conv2d(i, i, k, shape.stride, k // 2, groups=i, bias=False),
        norm(i),
        nn.ReLU(),
        *([SqueezeExcitation(i, rounded=True)] if name.squeeze else []),
        nn.Conv2d(i, o, 1, bias=False),
        norm(o),
    ]
    return Residual(*parts) if shape.keeps else nn.Sequential(*parts)


def _conv_bn_relu(name: BlockName, shape: Shape, norm: Norm) -> nn.Module:
    i, o, k = shape.in_channels, shape.out_channels, name.numbers["k"]
    return nn.Sequential(nn.Conv2d(i, o, k, shape.stride, k // 2, bias=False), norm(o), nn.ReLU6())


def _conv_bn_hs(name: BlockName, shape: Shape, norm: Norm) -> nn.Module:
    *same, _ = _conv_bn_relu(name, shape, norm).children()
    return nn.Sequential(*same, nn.Hardswish())


def _conv_bn_re(name: BlockName, shape: Shape, norm: Norm) -> nn.Module:
    *same, _ = _conv_bn_relu(name, shape, norm).children()
    return nn.Sequential(*same, nn.ReLU())


def _skip(_name: BlockName, shape: Shape, norm: Norm) -> nn.Module:
    if shape.keeps:
        return nn.Identity()
    i, o = shape.in_channels, shape.out_channels
    # The stride stands apart: 1x1 convolutions with a stride write outside their memory in torch 2.14 on CPUs, where
    # maps are narrow and in channels-last order.
    stride = [nn.AvgPool2d(1, shape.stride)] if shape.stride > 1 else []
    return nn.Sequential(*stride, nn.Conv2d(i, o, 1, bias=False), norm(o))


_BUILDERS: MappingProxyType[str, Callable[[BlockName, Shape, Norm], nn.Module]] = MappingProxyType(
    {
        "identity": lambda _name, _shape, _norm: nn.Identity(),
        "skip": _skip,
        "conv_bn_relu": _conv_bn_relu,
        "conv_bn_hs": _conv_bn_hs,
        "conv_bn_re": _conv_bn_re,
        "dsconv": _dsconv,
        "dsres": _dsres,
        "basic": _basic,
        "bottleneck": _bottleneck,
        "fused": _fused,
        "mbconv": _mbconv,
    }
)


def build_block(name: str, shape: Shape, norm: Norm = nn.BatchNorm2d) -> nn.Module:
    """Returns a block from (B, in, S, S) to (B, out, S', S').

    Raises:
        SpaceError: If there is no such block.
    """
    own = find_own(name)
    if own is not None:
        return build_own(own, shape.in_channels, shape.out_channels, shape.stride, norm)
    parsed = parse_block(name)
    return _BUILDERS[parsed.family](parsed, shape, norm)

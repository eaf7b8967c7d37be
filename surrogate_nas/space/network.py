"""The network around the cells: its sizes, and the sequence of layers that they amount to.

One space has several networks: the deployed one, and a narrower and shallower one for the supernet. Weights, costs and
profiles are all made from the same sequence of layers, so that they cannot disagree.
"""

from dataclasses import dataclass
from typing import Literal

from surrogate_nas.errors import SpaceError


@dataclass(frozen=True)
class NetworkSpec:
    """Sizes of a network of residual stages (NAS-Bench-201, arXiv 2001.00326, section 2).

    Attributes:
        channels: Width of the first stage; each later stage doubles it.
        cells: Cells per stage.
        image_size: Side of the square input in pixels; halved before each later stage.
        input_channels: 3 for colour, 1 for grey images.
        classes: Width of the classifier.
        stages: Number of stages.
    """

    channels: int
    cells: int
    image_size: int
    input_channels: int = 3
    classes: int = 10
    stages: int = 3

    def __post_init__(self) -> None:
        for name in ("channels", "cells", "image_size", "input_channels", "classes", "stages"):
            if getattr(self, name) < 1:
                raise SpaceError(f"{name} of a network must be at least 1 (got {getattr(self, name)})")
        step = 2 ** (self.stages - 1)
        if self.image_size % step:
            raise SpaceError(
                f"image_size must be a multiple of {step}, since {self.stages} stages halve it"
                f" {self.stages - 1} times (got {self.image_size})"
            )


@dataclass(frozen=True)
class Layer:
    """One step of a network: a fixed part (stem, reduction, head) or a place for a cell.

    Attributes:
        kind: What stands here.
        in_channels: Channels of the input.
        out_channels: Channels of the output; the number of classes for the head.
        in_size: Side of the input in pixels.
        out_size: Side of the output in pixels; 1 for the head.
        stage: Stage index, from 0.
    """

    kind: Literal["stem", "cell", "reduction", "head"]
    in_channels: int
    out_channels: int
    in_size: int
    out_size: int
    stage: int


def residual_stages(network: NetworkSpec) -> tuple[Layer, ...]:
    """Stem, then stages of cells with a residual block of stride 2 between them, then the head."""
    size, width = network.image_size, network.channels
    layers = [Layer("stem", network.input_channels, width, size, size, 0)]
    for stage in range(network.stages):
        if stage:
            layers.append(Layer("reduction", width, 2 * width, size, size // 2, stage))
            size, width = size // 2, 2 * width
        layers += [Layer("cell", width, width, size, size, stage)] * network.cells
    layers.append(Layer("head", width, network.classes, size, 1, network.stages - 1))
    return tuple(layers)


def fixed_parameters(layer: Layer) -> int:
    """Weights of a layer that no decision changes, affine batch-norm included; 0 for a cell."""
    i, o = layer.in_channels, layer.out_channels
    match layer.kind:
        case "stem":  # conv 3x3, BN
            return 9 * i * o + 2 * o
        case "reduction":  # two of (conv 3x3, BN), and a 1x1 convolution on the shortcut
            return 9 * i * o + 2 * o + 9 * o * o + 2 * o + i * o
        case "head":  # BN, linear
            return 2 * i + i * o + o
        case "cell":
            return 0


def fixed_flops(layer: Layer) -> int:
    """Multiply-accumulates for one image of a layer that no decision changes; 0 for a cell."""
    i, o, area = layer.in_channels, layer.out_channels, layer.out_size**2
    match layer.kind:
        case "stem":
            return 9 * i * o * area
        case "reduction":
            return (9 * i * o + 9 * o * o + i * o) * area
        case "head":
            return i * o
        case "cell":
            return 0

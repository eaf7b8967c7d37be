"""The skeleton of a chain, and the layers that it amounts to in a network of given sizes."""

from collections.abc import Sequence
from dataclasses import dataclass

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.network import CHOICE, Layer, NetworkSpec

_LAST = "classifier"


@dataclass(frozen=True)
class FixedLayer:
    """A layer that is not chosen.

    Attributes:
        layer: Its name.
        width: Channels that it gives; ``None`` for the first stage's.
        stride: Pixels from one output to the next.
        pools: Whether it gives one pixel instead.
    """

    layer: str
    width: int | None
    stride: int = 1
    pools: bool = False


@dataclass(frozen=True)
class ChainStage:
    """Layers of one width.

    Attributes:
        width: Channels that each gives.
        stride: Of the first one.
        choices: Names of the blocks to choose from, for each layer.
        elastic: How many of the last layers may be left out, from the end on; each has the same choices, of which the
            last and no other is an identity.
    """

    width: int
    stride: int
    choices: tuple[tuple[str, ...], ...]
    elastic: int = 0


@dataclass(frozen=True)
class Skeleton:
    """All layers of a chain but the last, which is a mean over all pixels and a linear layer.

    Attributes:
        before: Fixed layers at the start.
        stages: Layers to choose.
        after: Fixed layers behind them.
    """

    before: tuple[FixedLayer, ...]
    stages: tuple[ChainStage, ...]
    after: tuple[FixedLayer, ...]


def scaled_width(width: int, network: NetworkSpec, first: int) -> int:
    """Returns a width for a first stage of ``network.channels`` instead of ``first``: the nearest even number."""
    if network.channels == first:
        return width
    return max(2, 2 * round(width * network.channels / first / 2))


def chain_layout(skeleton: Skeleton, network: NetworkSpec, widths: Sequence[int] | None = None) -> tuple[Layer, ...]:
    """Returns the layers of a network.

    Sides are halved upwards, so images may have any size.

    Args:
        skeleton: The layers.
        network: Sizes; its channels are of a first stage of the skeleton's width.
        widths: Widths of the stages in place of the skeleton's.

    Raises:
        SpaceError: If the network has another number of stages than the skeleton, or more than one cell.
    """
    if network.stages != len(skeleton.stages):
        raise SpaceError(f"this chain has {len(skeleton.stages)} stages (got {network.stages})")
    if network.cells != 1:
        raise SpaceError(f"a chain has the layers of its definition, so cells must be 1 (got {network.cells})")
    layers: list[Layer] = []
    width, size, first = network.input_channels, network.image_size, skeleton.stages[0].width

    width_of = [stage.width for stage in skeleton.stages] if widths is None else widths

    def add(kind: str, out: int, stride: int, stage: int, decision: int | None = None) -> None:
        nonlocal width, size
        out, smaller = scaled_width(out, network, first), -(-size // stride)
        layers.append(Layer(kind, width, out, size, smaller, stage, decision))
        width, size = out, smaller

    def add_fixed(fixed: FixedLayer, stage: int) -> None:
        stride = size if fixed.pools else fixed.stride
        add(fixed.layer, width_of[0] if fixed.width is None else fixed.width, stride, stage)

    for fixed in skeleton.before:
        add_fixed(fixed, 0)
    decision = 0
    for number, stage in enumerate(skeleton.stages):
        for position in range(len(stage.choices)):
            add(CHOICE, width_of[number], 1 if position else stage.stride, number, decision)
            decision += 1
    for fixed in skeleton.after:
        add_fixed(fixed, network.stages - 1)
    layers.append(Layer(_LAST, width, network.classes, size, 1, network.stages - 1))
    return tuple(layers)

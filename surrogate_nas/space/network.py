"""The network around the cells: its sizes, and the sequence of layers that they amount to.

One space has several networks: the deployed one, and a narrower and shallower one for the supernet. Weights, costs and
profiles are all made from the same sequence of layers, so that they cannot disagree.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.operations.fixed import find_fixed_layer
from surrogate_nas.space.operations.spec import CountName, Shape

CELL, CHOICE, NODES, RESOLUTION = "cell", "choice", "nodes", "resolution"
_MOST = 100_000  # of any size that a file states: more is damage, and would be allocated
_MOST_STAGES = 32  # each halves images
SEARCHED = (CELL, CHOICE, NODES, RESOLUTION)
"""Kinds of layers that decisions change: a cell, a layer that is chosen, a cell whose nodes choose their inputs, and
where images are resized to a size that is chosen."""


@dataclass(frozen=True)
class NetworkSpec:
    """Sizes of a network, which a study may set; the space says what they amount to (``Space.layout``).

    Attributes:
        channels: Width of the first stage; the space sets the later ones.
        cells: Cells per stage.
        image_size: Side of the square input in pixels.
        input_channels: 3 for colour, 1 for grey images.
        classes: Width of the classifier.
        stages: Number of stages.
        light_reductions: Whether the residual blocks between stages of cells have one convolution instead of two, as
            they may in a supernet; of no effect in spaces without such blocks.

    Example:
        >>> from surrogate_nas import NetworkSpec, load_space
        >>> space = load_space("quick")
        >>> small = NetworkSpec(channels=4, cells=1, image_size=8, input_channels=1, stages=2)
        >>> int(space.parameters(space.parse("1102")[None], small)[0])
        1062
    """

    channels: int
    cells: int
    image_size: int
    input_channels: int = 3
    classes: int = 10
    stages: int = 3
    light_reductions: bool = False

    @classmethod
    def read(cls, content: object) -> "NetworkSpec":
        """Reads what ``described`` made, from a file that may be damaged.

        Raises:
            SpaceError: If it is not that, or a size is beyond every network that the project makes.
        """
        names = {field.name for field in fields(cls)}
        if not isinstance(content, Mapping) or not names.issuperset(content):
            raise SpaceError(f"the sizes of a network are {', '.join(sorted(names))} (got {content!r:.80})")
        for name, size in content.items():
            if type(size) is not (bool if name == "light_reductions" else int) or size > _MOST:
                raise SpaceError(f"{name} of a network must be a whole number up to {_MOST:,} (got {size!r:.80})")
        try:
            return cls(**content)
        except TypeError:
            raise SpaceError("the sizes of a network need channels, cells and image_size") from None

    def __post_init__(self) -> None:
        for name in ("channels", "cells", "image_size", "input_channels", "classes", "stages"):
            if getattr(self, name) < 1:
                raise SpaceError(f"{name} of a network must be at least 1 (got {getattr(self, name)})")
        if self.stages > _MOST_STAGES:
            raise SpaceError(f"stages of a network must be at most {_MOST_STAGES} (got {self.stages})")

    def described(self) -> dict[str, int]:
        """Returns the sizes by name, as files keep them; light reductions are named where there are any."""
        sizes = asdict(self)
        if not self.light_reductions:
            del sizes["light_reductions"]
        return sizes


@dataclass(frozen=True)
class Layer:
    """One step of a network: a fixed layer or a place for what is searched.

    Attributes:
        kind: Name of the fixed layer that stands here (``space.operations.fixed``); or what stands here of
            what is searched, such as ``"cell"``.
        in_channels: Channels of the input.
        out_channels: Channels of the output; the number of classes for the head.
        in_size: Side of the input in pixels.
        out_size: Side of the output in pixels; 1 for the head.
        stage: Stage index, from 0.
        decision: Column of a code that decides on what stands here; ``None`` for a fixed layer, and where all do.
        outside: Channels and size of each value that a cell of node choices takes in, the latest last.
    """

    kind: str
    in_channels: int
    out_channels: int
    in_size: int
    out_size: int
    stage: int
    decision: int | None = None
    outside: tuple[tuple[int, int], ...] = ()

    @property
    def shape(self) -> Shape:
        """The shapes of input and output."""
        return Shape(self.in_channels, self.out_channels, self.in_size, self.out_size)

    @property
    def is_fixed(self) -> bool:
        """True if no decision changes this layer."""
        return self.kind not in SEARCHED

    @property
    def hands_on(self) -> bool:
        """True if nothing is computed here: images are resized to the size that they have."""
        return self.kind == RESOLUTION and self.shape.keeps


def check_halving(network: NetworkSpec) -> None:
    """Refuses images that cannot be halved before each stage but the first.

    Raises:
        SpaceError: If so.
    """
    step = 2 ** (network.stages - 1)
    if network.image_size % step:
        raise SpaceError(
            f"image_size must be a multiple of {step}, since {network.stages} stages halve it"
            f" {network.stages - 1} times (got {network.image_size})"
        )


def residual_stages(network: NetworkSpec) -> tuple[Layer, ...]:
    """Returns the stem, then stages of cells with a block of stride 2 between them, then the head.

    Raises:
        SpaceError: If the stages cannot halve the images.
    """
    check_halving(network)
    size, width = network.image_size, network.channels
    reduction = "light_reduction" if network.light_reductions else "reduction"
    layers = [Layer("stem", network.input_channels, width, size, size, 0)]
    for stage in range(network.stages):
        if stage:
            layers.append(Layer(reduction, width, 2 * width, size, size // 2, stage))
            size, width = size // 2, 2 * width
        layers += [Layer("cell", width, width, size, size, stage)] * network.cells
    layers.append(Layer("head", width, network.classes, size, 1, network.stages - 1))
    return tuple(layers)


def fixed_total(layers: Iterable[Layer], count: CountName) -> int:
    """Returns the weights, or the multiply-accumulates for one image, of the layers that no decision changes."""
    return sum(find_fixed_layer(layer.kind).count(count, layer.shape) for layer in layers if layer.is_fixed)

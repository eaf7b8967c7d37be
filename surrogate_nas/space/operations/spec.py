"""An operation without its weights: operations of cells, blocks of chains and layers that no decision changes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Shape:
    """The channels that an operation takes and gives, and sides of its square feature maps in pixels."""

    in_channels: int
    out_channels: int
    in_size: int
    out_size: int

    @property
    def stride(self) -> int:
        """Pixels from one output to the next; 1 where there is one pixel only."""
        return -(-self.in_size // self.out_size)

    @property
    def keeps(self) -> bool:
        """True if the output has the shape of the input."""
        return self.in_channels == self.out_channels and self.in_size == self.out_size

    @property
    def inputs(self) -> int:
        """Numbers of one image that go in."""
        return self.in_channels * self.in_size**2

    @property
    def outputs(self) -> int:
        """Numbers of one image that come out."""
        return self.out_channels * self.out_size**2


Count = Callable[[Shape], int]
CountName = Literal["parameters", "flops"]


@dataclass(frozen=True)
class OperationSpec:
    """An operation as the search sees it.

    Attributes:
        name: Its name in definitions of spaces and in drawings.
        nonlinear_functions: Activations inside, as EFS-NAS counts them (arXiv 2412.14678).
        parameters: Number of weights, affine batch-norm included.
        flops: Multiply-accumulates of convolutions and linear layers for one image.
        alive: Most numbers of one image alive at once while it runs, besides its input.
        reach: Pixels by which convolutions widen what a pixel sees, to each side.
        is_identity: Whether it hands its input on unchanged where the shape stays.
        is_zero: Whether it cuts the network; only operations of cells may.
        changes_shape: Whether it can also stand where the shape changes.
        divisor: A number of which all widths must be a multiple.
        pools: Whether it gives one pixel, whatever the size.
    """

    name: str
    nonlinear_functions: int
    parameters: Count
    flops: Count
    alive: Count
    reach: int = 0
    is_identity: bool = False
    is_zero: bool = False
    changes_shape: bool = True
    divisor: int = 1
    pools: bool = False

    def count(self, name: CountName, shape: Shape) -> int:
        """Returns the number of parameters or of multiply-accumulates."""
        return self.parameters(shape) if name == "parameters" else self.flops(shape)


def nothing(_shape: Shape) -> int:
    """Returns 0, as a count."""
    return 0

"""What a block that may change width and size takes, gives and costs: fixed layers, and the choices of chains."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """What a block takes and gives: channels, and sides of square feature maps in pixels."""

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
        """Whether what comes out has the shape of what goes in."""
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


@dataclass(frozen=True)
class BlockSpec:
    """A block as the search sees it.

    Attributes:
        nonlinear_functions: Activations inside, as EFS-NAS counts them (arXiv 2412.14678).
        parameters: Number of weights, affine batch-norm included.
        flops: Multiply-accumulates of convolutions and linear layers for one image.
        alive: Most numbers of one image alive at once while it runs, besides its input.
        reach: Pixels by which convolutions widen what a pixel sees, to each side.
        is_zero: Whether it cuts the network; no block does, and operations of cells may.
        is_identity: Whether it hands its input on unchanged where the shape stays.
        changes_shape: Whether it can also stand where the shape changes.
        divisor: What all widths must be a multiple of.
    """

    nonlinear_functions: int
    parameters: Count
    flops: Count
    alive: Count
    reach: int = 0
    is_identity: bool = False
    is_zero: bool = False
    changes_shape: bool = True
    divisor: int = 1

"""The pieces of networks, whose latency is measured once, and how many of each an architecture runs.

Symbols:
    N: architectures in the batch.
    P: distinct pieces.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from surrogate_nas.nets.blocks import build_block
from surrogate_nas.nets.layers import build_layer
from surrogate_nas.nets.operations import build_operation
from surrogate_nas.space.network import Layer
from surrogate_nas.space.operations.spec import Shape
from surrogate_nas.space.space import Codes

FIXED = "fixed layers"
ADDITION, CONCATENATION = "addition", "concatenation"

PieceKind = Literal["layer", "operation", "addition", "block"]


@dataclass(frozen=True)
class Piece:
    """A part of a network that can be timed alone.

    Attributes:
        kind: A fixed layer or the concatenation at the end of a cell, an operation of a cell, the addition of two
            inputs of a node, or a block of a chain.
        name: Name of the operation or block, or kind of the layer; ``"addition"``, ``"concatenation"``.
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        in_size: Side of the input in pixels.
        out_size: Side of the output in pixels.
    """

    kind: PieceKind
    name: str
    in_channels: int
    out_channels: int
    in_size: int
    out_size: int

    @classmethod
    def at(cls, kind: PieceKind, name: str, layer: Layer) -> "Piece":
        """Returns a piece of the sizes of a layer."""
        return cls(kind, name, layer.in_channels, layer.out_channels, layer.in_size, layer.out_size)

    @property
    def key(self) -> str:
        """Name of the piece among measurements on one network."""
        sizes = f"{self.in_channels}x{self.in_size}-{self.out_channels}x{self.out_size}"
        return f"{self.kind}:{self.name}:{sizes}"

    @property
    def group(self) -> str:
        """Pieces whose share of a latency is corrected together."""
        return FIXED if self.kind == "layer" else self.name

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Shape of the input without the batch: (C, H, W)."""
        return (self.in_channels, self.in_size, self.in_size)

    def build(self) -> Callable[[Tensor], Tensor]:
        """Returns a function that runs it."""
        if self.kind == "addition":
            return _add
        if self.name == CONCATENATION:
            return partial(_concatenate, parts=self.out_channels // self.in_channels)
        if self.kind == "operation":
            return build_operation(self.name, self.in_channels, stride=self.in_size // self.out_size)
        sizes = (self.in_channels, self.out_channels, self.in_size, self.out_size)
        if self.kind == "block":
            return build_block(self.name, Shape(*sizes))
        return build_layer(Layer(self.name, *sizes, stage=0))


def _add(x: Tensor) -> Tensor:
    return x + x


def _concatenate(x: Tensor, parts: int) -> Tensor:
    return torch.cat([x] * parts, dim=1)


@dataclass(frozen=True)
class Workload:
    """The pieces of the networks of a space, of one size of network.

    Attributes:
        pieces: The P distinct pieces.
        counts: Function from effective codes, shape (N, D), to how often each piece runs, shape (N, P).
    """

    pieces: tuple[Piece, ...]
    counts: Callable[[Codes], NDArray[np.int64]]


def always(pieces: Iterable[Piece]) -> Workload:
    """Returns the workload of pieces that every architecture runs, each as often as it is given."""
    number = Counter(pieces)
    row = np.array(list(number.values()), dtype=np.int64)
    return Workload(tuple(number), lambda codes: np.broadcast_to(row, (len(codes), len(row))))


def joined(parts: Sequence[Workload]) -> Workload:
    """Returns the workload of several parts of the same networks; a piece of several parts has one column."""
    rows: dict[Piece, int] = {}
    columns = [rows.setdefault(piece, len(rows)) for part in parts for piece in part.pieces]

    def counts(codes: Codes) -> NDArray[np.int64]:
        none = np.zeros((len(codes), 0), dtype=np.int64)
        found = np.hstack([none, *(part.counts(codes) for part in parts)])
        if len(columns) == len(rows):
            return found
        merged = np.zeros((len(codes), len(rows)), dtype=np.int64)
        for column, values in zip(columns, found.T, strict=True):
            merged[:, column] += values
        return merged

    return Workload(tuple(rows), counts)

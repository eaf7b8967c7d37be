"""What a network of a space consists of: pieces whose latency is measured once, and how many of each it runs.

Symbols:
    N: architectures in the batch.
    P: distinct pieces.
    E: edges of the cell.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from surrogate_nas.nets.blocks import build_block
from surrogate_nas.nets.layers import build_layer
from surrogate_nas.nets.operations import build_operation
from surrogate_nas.space.dispatch import of_kind
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.kinds.chain.elastic import ResolutionSpace
from surrogate_nas.space.kinds.chain.space import ChainSpace
from surrogate_nas.space.kinds.nodes.layout import cell_at, node_width
from surrogate_nas.space.kinds.nodes.space import NodeSpace
from surrogate_nas.space.network import CELL, Layer, NetworkSpec
from surrogate_nas.space.operations.families import find_block
from surrogate_nas.space.operations.spec import Shape
from surrogate_nas.space.operations.table import operation_spec
from surrogate_nas.space.space import Codes, Space

_NOTHING = -1
FIXED = "fixed layers"
ADDITION, CONCATENATION = "addition", "concatenation"
_STATISTICS_BATCH = 8
_ADDITIONS = -1


PieceKind = Literal["layer", "operation", "addition", "block"]


@dataclass(frozen=True)
class Piece:
    """Something that a network runs and that can be timed alone.

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
        """What runs it."""
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


def workload(space: Space, network: NetworkSpec) -> Workload:
    """Takes the networks of a space apart.

    Raises:
        SpaceError: If the space is of a kind whose networks cannot be built.
    """
    return of_kind(_WORKLOADS, space, "latencies can be measured")(space, network)


def _cell_workload(space: CellSpace, network: NetworkSpec) -> Workload:
    layers = space.layout(network)
    fixed: dict[Piece, int] = {}
    cells: dict[tuple[int, int], int] = {}
    for layer in layers:
        sizes = (layer.in_channels, layer.out_channels, layer.in_size, layer.out_size)
        if layer.kind == CELL:
            place = (layer.in_channels, layer.in_size)
            cells[place] = cells.get(place, 0) + 1
        else:
            piece = Piece("layer", layer.kind, *sizes)
            fixed[piece] = fixed.get(piece, 0) + 1
    running = [index for index, name in enumerate(space.operations) if not operation_spec(name).is_zero]
    of_cell: list[tuple[PieceKind, str]] = [("operation", space.operations[index]) for index in running]
    of_cell.append(("addition", ADDITION))
    pieces = [*fixed, *(Piece(k, n, c, c, s, s) for c, s in cells for k, n in of_cell)]
    fixed_counts = np.array(list(fixed.values()), dtype=np.int64)
    places = np.array(list(cells.values()), dtype=np.int64)

    def counts(codes: Codes) -> NDArray[np.int64]:
        per_cell = np.stack(
            [*((codes == index).sum(axis=1) for index in running), additions(space, codes)], axis=1
        ).astype(np.int64)
        varying = (places[None, :, None] * per_cell[:, None, :]).reshape(len(codes), len(places) * len(of_cell))
        return np.hstack([np.broadcast_to(fixed_counts, (len(codes), len(fixed_counts))), varying])

    return Workload(tuple(pieces), counts)


def _chain_workload(space: ChainSpace, network: NetworkSpec) -> Workload:
    """Each different block at each different shape is a piece; identities run nothing."""
    rows: dict[Piece, int] = {}
    fixed: list[int] = []
    chosen: list[list[int]] = []  # the piece of every choice of every layer
    for layer in space.layout(network):
        sizes = (layer.in_channels, layer.out_channels, layer.in_size, layer.out_size)
        if layer.decision is None:
            fixed.append(rows.setdefault(Piece("layer", layer.kind, *sizes), len(rows)))
            continue
        blocks = space.decisions[layer.decision].choices
        chosen.append(
            [
                _NOTHING
                if find_block(name).is_identity and layer.shape.keeps
                else rows.setdefault(Piece("block", name, *sizes), len(rows))
                for name in blocks
            ]
        )

    def counts(codes: Codes) -> NDArray[np.int64]:
        found = np.zeros((len(codes), len(rows) + 1), dtype=np.int64)  # the last column is of what runs nothing
        found[:, : len(rows)] += np.bincount(fixed, minlength=len(rows))
        everyone = np.arange(len(codes))
        for column, pieces in enumerate(chosen):
            np.add.at(found, (everyone, np.array(pieces)[codes[:, column]]), 1)
        return found[:, :-1]

    return Workload(tuple(rows), counts)


def _resolution_workload(space: ResolutionSpace, network: NetworkSpec) -> Workload:
    """Resizing, unless the resolution is the largest, and the pieces of the chain at each resolution."""
    rows: dict[Piece, int] = {}
    channels, side = network.input_channels, network.image_size
    places: list[tuple[list[int], Workload]] = []  # the pieces of each resolution, those of its chain last
    for sizes in space.sizes(network):
        chain = workload(space.chain, sizes)
        own = [Piece("layer", "resize", channels, channels, side, sizes.image_size)] * (sizes != network)
        places.append(([rows.setdefault(piece, len(rows)) for piece in (*own, *chain.pieces)], chain))

    def counts(codes: Codes) -> NDArray[np.int64]:
        found = np.zeros((len(codes), len(rows)), dtype=np.int64)
        for choice, (columns, chain) in enumerate(places):
            at = np.flatnonzero(codes[:, 0] == choice)
            of_chain = chain.counts(codes[at, 1:])
            once = np.ones((len(at), len(columns) - of_chain.shape[1]), dtype=np.int64)
            found[at[:, None], columns] = np.column_stack([once, of_chain])
        return found

    return Workload(tuple(rows), counts)


def _node_workload(space: NodeSpace, network: NetworkSpec) -> Workload:
    """Operations and additions at each place of a cell; projections and concatenations are the same in every one."""
    rows: dict[Piece, int] = {}
    fixed: list[int] = []
    varying: list[tuple[int, int, int, int]] = []  # cell, stride - 1, operation (or ``_ADDITIONS``), row
    for layer in space.fixed_layers(network):
        sizes = (layer.in_channels, layer.out_channels, layer.in_size, layer.out_size)
        fixed.append(rows.setdefault(Piece("layer", layer.kind, *sizes), len(rows)))
    for layer in space.layout(network):
        if layer.is_fixed:
            continue
        index = cell_at(space.cells, layer)
        cell, size = space.cells[index], layer.out_size
        width = node_width(cell, layer)
        joined = Piece("layer", CONCATENATION, width, cell.parts * width, size, size)
        fixed.append(rows.setdefault(joined, len(rows)))
        added = Piece("addition", ADDITION, width, width, size, size)
        varying.append((index, 0, _ADDITIONS, rows.setdefault(added, len(rows))))
        for stride, (choice, name) in product((1, 2) if cell.reduces else (1,), enumerate(space.operations)):
            if not operation_spec(name, stride).is_identity:
                piece = Piece("operation", name, width, width, stride * size, size)
                varying.append((index, stride - 1, choice, rows.setdefault(piece, len(rows))))

    def counts(codes: Codes) -> NDArray[np.int64]:
        found = np.tile(np.bincount(fixed, minlength=len(rows)), (len(codes), 1))
        operations = space.operation_counts(codes)
        sums = [cell.additions(part) for cell, part in zip(space.cells, space.parts(codes), strict=True)]
        for index, stride, choice, row in varying:
            found[:, row] += sums[index] if choice == _ADDITIONS else operations[index][:, stride, choice]
        return found

    return Workload(tuple(rows), counts)


def additions(space: CellSpace, codes: ArrayLike) -> NDArray[np.int64]:
    """Tensor additions in one cell, shape (N,), for effective codes of shape (N, E): a node of k inputs needs k - 1."""
    checked = space.check(codes)
    zero = np.array([operation_spec(name).is_zero for name in space.operations])
    live = ~zero[checked]
    total = np.zeros(len(checked), dtype=np.int64)
    for node in {end for _, end in space.edges}:
        inputs = live[:, [end == node for _, end in space.edges]].sum(axis=1)
        total += np.maximum(inputs - 1, 0)
    return total


_WORKLOADS: Mapping[type[Space], Callable[..., Workload]] = {
    CellSpace: _cell_workload,
    ChainSpace: _chain_workload,
    ResolutionSpace: _resolution_workload,
    NodeSpace: _node_workload,
}


def prepare(
    forward: Callable[[Tensor], Tensor], input_shape: tuple[int, int, int], batch: int, device: torch.device
) -> tuple[Callable[[Tensor], Tensor], Tensor]:
    """A module ready to be timed, and an input of shape (batch, C, H, W).

    A new network's batch-norm statistics are nobody's; its activations fade from layer to layer until they are too
    small for ordinary floating-point arithmetic, which is many times slower then. So the statistics are taken from
    one batch, as those of a trained network are taken from many.
    """
    if isinstance(forward, nn.Module):
        for part in forward.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.momentum = 1.0
        with torch.no_grad():
            forward.train()(torch.randn(_STATISTICS_BATCH, *input_shape))
        forward = forward.eval().to(device)
    return forward, torch.randn(batch, *input_shape).to(device)

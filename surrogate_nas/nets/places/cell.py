"""A place for a cell with an operation on each edge.

Symbols:
    N: architectures. A: architectures that are run side by side. B: images of a batch. C: channels.
    E: edges of the cell. O: operations.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from surrogate_nas.errors import SpaceError
from surrogate_nas.nets.normalization import NormMode, RecordingBatchNorm
from surrogate_nas.nets.operations import Norm, ReluConvNorm, build_operation
from surrogate_nas.nets.places.mixture import Mixture
from surrogate_nas.nets.places.partial_cell import PartialCell
from surrogate_nas.nets.places.protocol import Apply, MixingPlace, unlike
from surrogate_nas.nets.pooling import AveragePool3x3
from surrogate_nas.nets.workload import ADDITION, Piece, PieceKind, Workload
from surrogate_nas.space.kinds.cell.forward import additions, alive_maps
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.network import Layer
from surrogate_nas.space.operations.table import operation_spec
from surrogate_nas.space.space import Codes

# Numbers in a merged output up to which merging was measured to pay on CPUs: about what a core's own cache holds.
_LARGEST_MERGED = 2**18


def run_cell(
    edges: Sequence[tuple[int, int]], operations: Sequence[Callable[[Tensor], Tensor] | None], x: Tensor
) -> Tensor:
    """Runs a cell: every node is the sum over its incoming edges of an operation's output on the edge's start node.

    Args:
        edges: Start and end node of each edge, topologically ordered, length E; the last node is the output.
        operations: What each edge does, length E; ``None`` cuts the edge.
        x: Input at node 0, shape (B, C, H, W).

    Returns:
        Value of the output node, of the shape of x; zeros where no edge reaches it.
    """
    nodes: dict[int, Tensor] = {0: x}
    for (start, end), operation in zip(edges, operations, strict=True):
        if operation is None or start not in nodes:
            continue
        value = operation(nodes[start])
        nodes[end] = nodes[end] + value if end in nodes else value
    output = nodes.get(max(end for _, end in edges))
    return x.new_zeros(x.shape) if output is None else output


class Cell(nn.Module):
    """A cell with one operation per edge.

    Args:
        edges: Start and end node of each edge, length E.
        operations: Name of the operation on each edge, length E.
        channels: Width of the cell.
        norm: Builds the normalisations.
    """

    def __init__(self, edges: Sequence[tuple[int, int]], operations: Sequence[str], channels: int, norm: Norm) -> None:
        super().__init__()
        self.edges = tuple(edges)
        self.operations = nn.ModuleList(build_operation(name, channels, norm) for name in operations)
        self._is_zero = [operation_spec(name).is_zero for name in operations]

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, channels, H, W) to the same shape."""
        # Zeros are neither made nor added: that would take time, and what follows a cut edge would hand on its biases.
        running = [None if zero else one for zero, one in zip(self._is_zero, self.operations, strict=True)]
        return run_cell(self.edges, running, x)


@dataclass(frozen=True)
class _Departure:
    """The live edges that leave one node with one operation: indices of the edges, their end nodes, the operation."""

    start: int
    choice: int
    edges: tuple[int, ...]
    ends: tuple[int, ...]


class SharedCell(MixingPlace):
    """Every operation on every edge of a cell, of which an architecture uses one each.

    What the edges that leave one node have in common is computed once: the rectified input of its convolutions,
    operations without weights, and, while training, all convolutions of one shape as a single wider convolution.
    Normalisation is by channel, so the wider one is exact.

    Args:
        space: The cell and its operations.
        channels: Width of the cell.
    """

    def __init__(self, space: CellSpace, channels: int) -> None:
        super().__init__()
        self.edges = space.edges
        self.operations = nn.ModuleList(
            nn.ModuleList(_quick(build_operation(name, channels, RecordingBatchNorm)) for name in space.operations)
            for _ in space.edges
        )
        self._output = max(end for _, end in space.edges)
        self._is_zero = tuple(operation_spec(name).is_zero for name in space.operations)
        first = self.operations[0]
        assert isinstance(first, nn.ModuleList)
        self._has_weights = [any(True for _ in operation.parameters()) for operation in first]
        self._is_convolution = [isinstance(operation, ReluConvNorm) for operation in first]

    def forward(self, x: Tensor, code: Sequence[int]) -> Tensor:
        """Maps (B, C, H, W) to the same shape, for an architecture of length E."""
        return self._run(x, _departures_of_code(self.edges, self._is_zero, tuple(code)), None)

    def mixed(self, x: Tensor, mixture: Mixture) -> Tensor:
        """Maps (B, C, H, W) to the same shape; an edge's value is the weighted sum of its operations' outputs."""
        return self._run(x, _departures(self.edges, self._is_zero, mixture.computed), mixture.weights)

    def _run(self, x: Tensor, departures: Sequence[_Departure], weights: Sequence[Tensor] | None) -> Tensor:
        """Runs departures in their order, and weighs the value of each edge where there are weights."""
        nodes: dict[int, Tensor] = {0: x}
        rectified: dict[int, Tensor] = {}
        for departure in departures:
            start = nodes.get(departure.start)
            if start is None:
                continue
            if self._is_convolution[departure.choice]:
                if departure.start not in rectified:
                    rectified[departure.start] = F.relu(start)
                values = self._convolve(departure, rectified[departure.start])
            elif self._has_weights[departure.choice]:
                values = [self._operation(edge, departure.choice)(start) for edge in departure.edges]
            else:
                values = [self._operation(departure.edges[0], departure.choice)(start)] * len(departure.edges)
            if weights is not None:
                pairs = zip(departure.edges, values, strict=True)
                values = [weights[edge][departure.choice] * value for edge, value in pairs]
            for end, value in zip(departure.ends, values, strict=True):
                nodes[end] = nodes[end] + value if end in nodes else value
        output = nodes.get(self._output)
        return x.new_zeros(x.shape) if output is None else output

    def weights_of(self, decision: int) -> Iterator[nn.Parameter]:
        """Yields the weights of all operations on the decision's edge."""
        yield from self.operations[decision].parameters()

    def counterparts(self, own: nn.Module, code: Codes) -> Iterator[tuple[nn.Module, nn.Module]]:
        """Yields the chosen operation of each edge and the network's own."""
        if not isinstance(own, Cell):
            raise unlike(self)
        for row, choice, operation in zip(self.operations, code.tolist(), own.operations, strict=True):
            assert isinstance(row, nn.ModuleList)
            yield row[choice], operation

    def _operation(self, edge: int, choice: int) -> Callable[[Tensor], Tensor]:
        # Indexing a ModuleList costs more than a small operation; its dictionary does not.
        operation = self.operations._modules[str(edge)]._modules[str(choice)]
        assert operation is not None
        return operation

    def _convolve(self, departure: _Departure, rectified: Tensor) -> Sequence[Tensor]:
        """Convolves and normalises a rectified input for every edge of a departure."""
        branches = [self._operation(edge, departure.choice) for edge in departure.edges]
        norm = branches[0][2]  # type: ignore[index]
        merged = rectified.numel() * len(branches)
        if len(branches) == 1 or merged > _LARGEST_MERGED or rectified.is_cuda or norm.mode is not NormMode.BATCH:
            return [branch[2](branch[1](rectified)) for branch in branches]  # type: ignore[index]
        convolution = branches[0][1]  # type: ignore[index]
        weight = torch.cat([branch[1].weight for branch in branches])  # type: ignore[index]
        return norm(F.conv2d(rectified, weight, padding=convolution.padding)).chunk(len(branches), dim=1)  # type: ignore[no-any-return]


def _quick(operation: nn.Module) -> nn.Module:
    """Returns the same operation as a quicker module, where there is one."""
    return AveragePool3x3() if isinstance(operation, nn.AvgPool2d) else operation


@lru_cache(maxsize=2**15)
def _departures_of_code(
    edges: tuple[tuple[int, int], ...], is_zero: tuple[bool, ...], code: tuple[int, ...]
) -> tuple[_Departure, ...]:
    """Returns the live edges of an architecture, in an order in which every start node is complete."""
    return _departures(edges, is_zero, tuple((choice,) for choice in code))


@lru_cache(maxsize=2**10)
def _departures(
    edges: tuple[tuple[int, int], ...], is_zero: tuple[bool, ...], computed: tuple[tuple[int, ...], ...]
) -> tuple[_Departure, ...]:
    """Returns the edges that have something to compute and lie on a way to the output, every start node complete."""
    running = [[choice for choice in choices if not is_zero[choice]] for choices in computed]
    reaches = {max(end for _, end in edges)}  # nodes that lead to the output
    for (start, end), choices in sorted(zip(edges, running, strict=True), reverse=True):
        if choices and end in reaches:
            reaches.add(start)
    found: dict[tuple[int, int], list[int]] = {}
    for edge, ((start, end), choices) in enumerate(zip(edges, running, strict=True)):
        for choice in choices if end in reaches else ():
            found.setdefault((start, choice), []).append(edge)
    return tuple(
        _Departure(start, choice, tuple(members), tuple(edges[edge][1] for edge in members))
        for (start, choice), members in sorted(found.items())
    )


class CellVariants:
    """Every operation on every edge of a cell.

    Args:
        space: The cell and its operations.
        channels: Width of the cell.
        norm: Builds the normalisations.
    """

    def __init__(self, space: CellSpace, channels: int, norm: Norm) -> None:
        self._edges, self._output = space.edges, space.output
        self._is_zero = [operation_spec(name).is_zero for name in space.operations]
        self.rows = [[build_operation(name, channels, norm) for name in space.operations] for _ in space.edges]

    def run(self, chosen: Tensor, x: Tensor, apply: Apply) -> Tensor:
        """Maps (A, B, C, H, W) to the same shape, for codes of shape (A, E)."""
        everyone = torch.arange(len(x))
        nodes = {0: x}
        for edge, (start, end) in enumerate(self._edges):
            total = nodes.get(end, torch.zeros_like(x))
            for choice, operation in enumerate(self.rows[edge]):
                who = everyone[chosen[:, edge] == choice]
                if len(who) and not self._is_zero[choice] and start in nodes:
                    total = total.index_add(0, who, apply(operation, nodes[start][who], who))
            nodes[end] = total
        return nodes[self._output]


class CellPlace:
    """The place of a cell, which is the same at all places of a network."""

    measures_own = False
    stacks = True

    def standalone(self, space: CellSpace, layer: Layer, code: Codes, norm: Norm) -> Cell:
        """Returns the cell of the chosen operations."""
        return Cell(space.edges, [space.operations[choice] for choice in code], layer.in_channels, norm)

    def shared(self, space: CellSpace, layer: Layer) -> SharedCell:
        """Returns a cell with all operations on every edge."""
        return SharedCell(space, layer.in_channels)

    def partial(self, space: CellSpace, layer: Layer, parts: int) -> PartialCell:
        """Returns a cell whose operations see one in so many channels."""
        if layer.in_channels % parts:
            raise SpaceError(f"cells of {layer.in_channels} channels cannot be divided into {parts} parts")
        return PartialCell(space, layer.in_channels, parts)

    def variants(self, space: CellSpace, layer: Layer, norm: Norm) -> CellVariants:
        """Returns all operations on every edge, for architectures side by side."""
        return CellVariants(space, layer.in_channels, norm)

    def workload(self, space: CellSpace, layers: Sequence[Layer]) -> Workload:
        """Returns the operations and additions of the cell at each of its sizes."""
        sizes = Counter((layer.in_channels, layer.in_size) for layer in layers)
        running = [index for index, name in enumerate(space.operations) if not operation_spec(name).is_zero]
        of_cell: list[tuple[PieceKind, str]] = [("operation", space.operations[index]) for index in running]
        of_cell.append(("addition", ADDITION))
        pieces = tuple(Piece(kind, name, c, c, s, s) for c, s in sizes for kind, name in of_cell)
        cells = np.array(list(sizes.values()), dtype=np.int64)

        def counts(codes: Codes) -> NDArray[np.int64]:
            columns = [*((codes == index).sum(axis=1) for index in running), additions(space, codes)]
            per_cell = np.stack(columns, axis=1).astype(np.int64)
            return (cells[:, None] * per_cell[:, None, :]).reshape(len(codes), len(pieces))

        return Workload(pieces, counts)

    def alive(self, space: CellSpace, layers: Sequence[Layer], codes: Codes) -> Iterator[NDArray[np.int64]]:
        """Yields the numbers in the cell's feature maps without its input, shape (N,) for each place."""
        maps = alive_maps(space, codes) - 1
        for layer in layers:
            yield maps * layer.shape.inputs

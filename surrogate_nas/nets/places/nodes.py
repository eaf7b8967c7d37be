"""A place for a cell whose nodes choose their inputs.

Symbols:
    N: architectures. B: images. c: width of the cell. K: parts of its output. D: decisions of the space.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import product
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from surrogate_nas.nets.layers import build_layer
from surrogate_nas.nets.normalization import RecordingBatchNorm
from surrogate_nas.nets.operations import Norm, build_operation
from surrogate_nas.nets.places.mixture import Mixture
from surrogate_nas.nets.places.protocol import MixingPlace, unlike
from surrogate_nas.nets.workload import ADDITION, CONCATENATION, Piece, Workload
from surrogate_nas.space.kinds.nodes.forward import alive_numbers
from surrogate_nas.space.kinds.nodes.layout import cell_at, node_width, projections
from surrogate_nas.space.kinds.nodes.node_cell import Column, NodeCell, Parents, Wiring
from surrogate_nas.space.kinds.nodes.space import NodeSpace
from surrogate_nas.space.network import Layer
from surrogate_nas.space.operations.table import operation_spec
from surrogate_nas.space.space import Codes

_ADDITIONS = -1

# Node, place of its value (0 with operations on nodes) and choice to the operation.
Operations = Callable[[int, int, int], Callable[[Tensor], Tensor]]


def run_node_cell(cell: NodeCell, wiring: Wiring, projected: Sequence[Tensor], operation: Operations) -> Tensor:
    """Runs one architecture of a cell.

    Args:
        cell: The cell.
        wiring: The architecture.
        projected: Its inputs at the width of the cell, shape (B, c, H, W) each.
        operation: The operation of a node, by node, place and choice.

    Returns:
        Shape (B, K c, H', W').
    """
    values = dict(enumerate(projected))
    for choice in wiring.nodes:
        node = choice.node
        if cell.on_edges:
            edges = zip(choice.places, choice.operations, strict=True)
            value = _sum([operation(node, place, index)(values[place]) for place, index in edges])
        else:
            value = operation(node, 0, choice.operations[0])(_sum([values[place] for place in choice.places]))
        values[cell.inputs + node] = value
    return torch.cat([values[place] for place in wiring.output], dim=1)


def _sum(values: Sequence[Tensor]) -> Tensor:
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total


def _weighted_sum(terms: Sequence[tuple[Tensor | float, Tensor]]) -> Tensor:
    return _sum([weight * value for weight, value in terms])


def stride_of(cell: NodeCell, place: int) -> int:
    """Returns the stride of an operation on the value of a place."""
    return 2 if cell.on_edges and cell.reduces and place < cell.inputs else 1


def build_projections(cell: NodeCell, layer: Layer, norm: Norm) -> nn.ModuleList:
    """Returns the layers that bring each value from outside to the width and size of a cell."""
    return nn.ModuleList(build_layer(each, norm) for each in projections(cell, layer))


class BuiltNodeCell(nn.Module):
    """A cell of one architecture, without its dead nodes.

    Args:
        cell: The cell.
        wiring: The architecture.
        operations: Names of the operations.
        layer: Where it stands.
        norm: Builds the normalisations.
    """

    def __init__(self, cell: NodeCell, wiring: Wiring, operations: Sequence[str], layer: Layer, norm: Norm) -> None:
        super().__init__()
        self.cell, self.wiring, self.looks_back = cell, wiring, cell.inputs
        self.projections = build_projections(cell, layer, norm)
        self.operations = nn.ModuleDict()
        for node, source, index in self._chosen():
            built = build_operation(operations[index], node_width(cell, layer), norm, stride_of(cell, source))
            self.operations[f"{node}_{source}"] = built

    def forward(self, outside: Sequence[Tensor]) -> Tensor:
        """Maps the latest values from outside, shape (B, channels, H, W) each, to (B, K c, H', W')."""
        projected = [projection(value) for projection, value in zip(self.projections, outside, strict=True)]
        return run_node_cell(
            self.cell, self.wiring, projected, lambda node, place, _choice: self.operations[f"{node}_{place}"]
        )

    def running(self) -> Iterator[tuple[int, int, int, nn.Module]]:
        """Yields every operation: node, place of its value (0 with operations on nodes), choice, module."""
        for node, place, choice in self._chosen():
            yield node, place, choice, self.operations[f"{node}_{place}"]

    def _chosen(self) -> Iterator[tuple[int, int, int]]:
        for node in self.wiring.nodes:
            places = node.places if self.cell.on_edges else (0,)
            for place, choice in zip(places, node.operations, strict=True):
                yield node.node, place, choice


class SharedNodeCell(MixingPlace):
    """All architectures of a cell at one place: every operation wherever one may stand.

    With operations on edges, an operation's weights belong to its node and the value that it is applied to, whichever
    of the node's two decisions put it there.

    Args:
        space: The space of the cell.
        layer: Where it stands.
    """

    def __init__(self, space: NodeSpace, layer: Layer) -> None:
        super().__init__()
        index = cell_at(space.cells, layer)
        cell = space.cells[index]
        self.cell, self.looks_back = cell, cell.inputs
        self._first = sum(len(each.columns) for each in space.cells[:index])
        self.projections = build_projections(cell, layer, RecordingBatchNorm)
        width = node_width(cell, layer)
        self.nodes = nn.ModuleList(
            nn.ModuleList(
                nn.ModuleList(
                    build_operation(name, width, RecordingBatchNorm, stride_of(cell, source))
                    for name in space.operations
                )
                for source in (range(cell.inputs + node) if cell.on_edges else range(1))
            )
            for node in range(cell.nodes)
        )

    def forward(self, outside: Sequence[Tensor], code: Sequence[int]) -> Tensor:
        """Maps the latest values from outside, shape (B, channels, H, W) each, to (B, K c, H', W').

        Args:
            outside: As many values as the cell has inputs.
            code: A code of the space, length D.
        """
        projected = [projection(value) for projection, value in zip(self.projections, outside, strict=True)]
        own = tuple(code[self._first : self._first + len(self.cell.columns)])
        return run_node_cell(self.cell, _wiring(self.cell, own), projected, self.operation)

    def mixed(self, outside: Sequence[Tensor], mixture: Mixture) -> Tensor:
        """Maps the latest values from outside like ``forward``, under weights for the choices of every decision.

        A node is the mean of what it would be with each choice of its inputs and operations, at given values before it.
        Each part of the output is the mean over the choices of the output.
        """
        values = {
            place: projection(value)
            for place, (projection, value) in enumerate(zip(self.projections, outside, strict=True))
        }
        for node in self._used(mixture):
            inputs = self._weighed("inputs", node, mixture)
            weigh = self._on_edges if self.cell.on_edges else self._on_nodes
            values[self.cell.inputs + node] = weigh(node, inputs, values, mixture)
        output = self._weighed("output", self.cell.nodes, mixture)
        parts = (
            _weighted_sum([(weight, values[places[part]]) for places, weight in output])
            for part in range(self.cell.parts)
        )
        return torch.cat(list(parts), dim=1)

    def _used(self, mixture: Mixture) -> list[int]:
        """Returns the nodes that the output depends on with any choice that is run."""
        used = {place for places, _ in self._weighed("output", self.cell.nodes, mixture) for place in places}
        for node in reversed(range(self.cell.nodes)):
            if self.cell.inputs + node in used:
                used |= {place for places, _ in self._weighed("inputs", node, mixture) for place in places}
        return [node for node in range(self.cell.nodes) if self.cell.inputs + node in used]

    def _weighed(
        self, kind: Literal["inputs", "output"], node: int, mixture: Mixture
    ) -> list[tuple[Parents, Tensor | float]]:
        """Returns the sets of places that are run for a node, or for the output, with their weights."""
        sets = self.cell.inputs_of(node)
        if len(sets) == 1:
            return [(sets[0], 1.0)]
        decision = self._first + self.cell.columns.index(Column(kind, node))
        return [(sets[choice], mixture.weights[decision][choice]) for choice in mixture.computed[decision]]

    def _operations(self, node: int, slot: int, mixture: Mixture) -> list[tuple[int, Tensor]]:
        """Returns the operations that are run in a slot of a node, with their weights."""
        decision = self._first + self.cell.columns.index(Column("operation", node, slot))
        return [(choice, mixture.weights[decision][choice]) for choice in mixture.computed[decision]]

    def _on_edges(
        self,
        node: int,
        inputs: Sequence[tuple[Parents, Tensor | float]],
        values: Mapping[int, Tensor],
        mixture: Mixture,
    ) -> Tensor:
        """Returns a node whose operations are on edges; an operation of a value runs once, with its sum of weights."""
        weights: dict[tuple[int, int], Tensor] = {}
        slots = [self._operations(node, slot, mixture) for slot in range(self.cell.slots(node))]
        for places, weight in inputs:
            for place, operations in zip(places, slots, strict=True):
                for choice, own in operations:
                    before, more = weights.get((place, choice)), weight * own
                    weights[place, choice] = more if before is None else before + more
        return _weighted_sum(
            [
                (weight, self.operation(node, place, choice)(values[place]))
                for (place, choice), weight in weights.items()
            ]
        )

    def _on_nodes(
        self,
        node: int,
        inputs: Sequence[tuple[Parents, Tensor | float]],
        values: Mapping[int, Tensor],
        mixture: Mixture,
    ) -> Tensor:
        """Returns a node that is one operation of a sum of values."""
        total = _weighted_sum([(weight, _sum([values[place] for place in places])) for places, weight in inputs])
        return _weighted_sum(
            [(weight, self.operation(node, 0, choice)(total)) for choice, weight in self._operations(node, 0, mixture)]
        )

    def weights_of(self, decision: int) -> Iterator[nn.Parameter]:
        """Yields the weights of the decision's node, of which the choice of its inputs decides as well."""
        own = decision - self._first
        if 0 <= own < len(self.cell.columns) and self.cell.columns[own].kind != "output":
            yield from self.nodes[self.cell.columns[own].node].parameters()

    def counterparts(self, own: nn.Module, code: Codes) -> Iterator[tuple[nn.Module, nn.Module]]:  # noqa: ARG002
        """Yields the projections and each operation that runs, and the network's own."""
        if not isinstance(own, BuiltNodeCell):
            raise unlike(self)
        yield self.projections, own.projections
        for node, place, choice, operation in own.running():
            yield self.operation(node, place, choice), operation

    def operation(self, node: int, place: int, choice: int) -> nn.Module:
        """Returns an operation by its node, the place of its value (0 with operations on nodes) and its choice."""
        # Indexing a ModuleList costs more than a small operation; its dictionary does not.
        places = self.nodes._modules[str(node)]
        assert places is not None
        choices = places._modules[str(place)]
        assert choices is not None
        operation = choices._modules[str(choice)]
        assert operation is not None
        return operation


@lru_cache(maxsize=2**14)
def _wiring(cell: NodeCell, code: tuple[int, ...]) -> Wiring:
    return cell.wiring(np.array(code, dtype=np.int8))


class NodesPlace:
    """The place of one of a space's kinds of cells; its sizes say which kind."""

    measures_own = False

    def standalone(self, space: NodeSpace, layer: Layer, code: Codes, norm: Norm) -> BuiltNodeCell:
        """Returns a cell of the live nodes."""
        index = cell_at(space.cells, layer)
        cell, part = space.cells[index], space.parts(code[None])[index][0]
        return BuiltNodeCell(cell, _wiring(cell, tuple(part.tolist())), space.operations, layer, norm)

    def shared(self, space: NodeSpace, layer: Layer) -> SharedNodeCell:
        """Returns a cell with all operations of all nodes."""
        return SharedNodeCell(space, layer)

    def workload(self, space: NodeSpace, layers: Sequence[Layer]) -> Workload:
        """Returns the operations and additions, and the projections and concatenations that every cell has."""
        rows: dict[Piece, int] = {}
        varying: list[tuple[int, int, int, int]] = []  # cell, stride - 1, operation (or ``_ADDITIONS``), row
        places = [(cell_at(space.cells, layer), layer) for layer in layers]
        inside = [each for index, layer in places for each in projections(space.cells[index], layer)]
        fixed = [rows.setdefault(Piece.at("layer", each.kind, each), len(rows)) for each in inside]
        for index, layer in places:
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

    def alive(self, space: NodeSpace, layers: Sequence[Layer], codes: Codes) -> Iterator[NDArray[np.int64]]:
        """Yields the most numbers that a cell has alive besides its inputs, shape (N,) for each place."""
        parts = space.parts(codes)
        for layer in layers:
            index = cell_at(space.cells, layer)
            yield alive_numbers(space.cells[index], parts[index], space.operations, layer)

"""Cells whose nodes choose their inputs: how they run, and as modules of one architecture.

Symbols:
    B: images. c: width of the cell. K: parts of its output.
"""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from surrogate_nas.nets.layers import build_layer
from surrogate_nas.nets.operations import Norm, build_operation
from surrogate_nas.space.kinds.nodes.layout import node_width, projections
from surrogate_nas.space.kinds.nodes.node_cell import NodeCell, Wiring
from surrogate_nas.space.network import Layer

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


def stride_of(cell: NodeCell, place: int) -> int:
    """Stride of an operation on the value of a place."""
    return 2 if cell.on_edges and cell.reduces and place < cell.inputs else 1


def build_projections(cell: NodeCell, layer: Layer, norm: Norm) -> nn.ModuleList:
    """What brings each value from outside to the width and size of a cell at a layer."""
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
        """The latest values from outside, shape (B, channels, H, W) each, to (B, K c, H', W')."""
        projected = [projection(value) for projection, value in zip(self.projections, outside, strict=True)]
        return run_node_cell(
            self.cell, self.wiring, projected, lambda node, place, _choice: self.operations[f"{node}_{place}"]
        )

    def running(self) -> Iterator[tuple[int, int, int, nn.Module]]:
        """Every operation: its node, the place of its value (0 with operations on nodes), its choice, its module."""
        for node, place, choice in self._chosen():
            yield node, place, choice, self.operations[f"{node}_{place}"]

    def _chosen(self) -> Iterator[tuple[int, int, int]]:
        for node in self.wiring.nodes:
            places = node.places if self.cell.on_edges else (0,)
            for place, choice in zip(places, node.operations, strict=True):
                yield node.node, place, choice

"""A cell whose nodes choose their inputs, with every operation wherever one may stand; one architecture at a time.

With operations on edges, an operation's weights belong to its node and the value that it is applied to, whichever of
the node's two decisions put it there.

Symbols:
    B: images. c: width of the cell. K: parts of its output. D: decisions of the space.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from torch import Tensor, nn

from surrogate_nas.nets.node_cell import build_projections, run_node_cell, stride_of
from surrogate_nas.nets.normalization import RecordingBatchNorm
from surrogate_nas.nets.operations import build_operation
from surrogate_nas.space.kinds.nodes.layout import cell_at, node_width
from surrogate_nas.space.kinds.nodes.node_cell import NodeCell, Wiring
from surrogate_nas.space.kinds.nodes.space import NodeSpace
from surrogate_nas.space.network import Layer


class SharedNodeCell(nn.Module):
    """All architectures of a cell at one place.

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
        """The latest values from outside, shape (B, channels, H, W) each, to (B, K c, H', W').

        Args:
            outside: As many values as the cell has inputs.
            code: A code of the space, length D.
        """
        projected = [projection(value) for projection, value in zip(self.projections, outside, strict=True)]
        own = tuple(code[self._first : self._first + len(self.cell.columns)])
        return run_node_cell(self.cell, _wiring(self.cell, own), projected, self.operation)

    def weights_of(self, decision: int) -> Iterator[nn.Parameter]:
        """The weights that a decision chooses among: those of its node, of which its inputs decide as well."""
        own = decision - self._first
        if 0 <= own < len(self.cell.columns) and self.cell.columns[own].kind != "output":
            yield from self.nodes[self.cell.columns[own].node].parameters()

    def operation(self, node: int, place: int, choice: int) -> nn.Module:
        """The operation of a node, by node, place of its value (0 with operations on nodes) and choice."""
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

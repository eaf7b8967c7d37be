"""Standalone networks: the module of one architecture, which owns its weights."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor, nn

from surrogate_nas.nets.blocks import build_block
from surrogate_nas.nets.cell import run_cell
from surrogate_nas.nets.latest import Latest, furthest
from surrogate_nas.nets.layers import build_layer
from surrogate_nas.nets.node_cell import BuiltNodeCell
from surrogate_nas.nets.operations import Norm, build_operation
from surrogate_nas.nets.resize import resizing
from surrogate_nas.space.dispatch import of_kind
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.kinds.chain.elastic import ResolutionSpace
from surrogate_nas.space.kinds.chain.space import ChainSpace
from surrogate_nas.space.kinds.nodes.layout import cell_at
from surrogate_nas.space.kinds.nodes.space import NodeSpace
from surrogate_nas.space.network import CELL, Layer, NetworkSpec
from surrogate_nas.space.operations.table import operation_spec
from surrogate_nas.space.space import Codes, Space


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
        """(B, channels, H, W) to the same shape."""
        # Zeros are neither made nor added: that would take time, and what follows a cut edge would hand on its biases.
        running = [None if zero else one for zero, one in zip(self._is_zero, self.operations, strict=True)]
        return run_cell(self.edges, running, x)


class Network(nn.Sequential):
    """A whole network: (B, input channels, S, S) to class scores (B, classes)."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, input channels, S, S) to (B, classes); cells may look back further than on the layer before them."""
        latest = Latest(x, furthest(self))
        for layer in self:
            latest.add(layer(latest.given_to(layer)))
        return latest.value


def build_network(space: Space, code: ArrayLike, network: NetworkSpec, norm: Norm = nn.BatchNorm2d) -> Network:
    """The standalone network of one architecture, as written: pass an effective code to leave dead operations out.

    A code and its effective code compute the same from the same weights. Of dead operations those that no data reach
    are not run, others are run for nothing.

    Args:
        space: Search space of the code.
        code: Shape (D,).
        network: Sizes of the network.
        norm: Builds the normalisations.

    Raises:
        SpaceError: If the code does not belong to the space, or the space is of a kind that has no networks yet.
    """
    build = of_kind(_BUILDERS, space, "networks can be built")
    return build(space, space.check([np.asarray(code)])[0], network, norm)


def _cell_network(space: CellSpace, code: Codes, network: NetworkSpec, norm: Norm) -> Network:
    names = [space.operations[choice] for choice in code]
    return Network(
        *(
            Cell(space.edges, names, layer.in_channels, norm) if layer.kind == CELL else build_layer(layer, norm)
            for layer in space.layout(network)
        )
    )


def _node_network(space: NodeSpace, code: Codes, network: NetworkSpec, norm: Norm) -> Network:
    wirings = [cell.wiring(part[0]) for cell, part in zip(space.cells, space.parts(code[None]), strict=True)]

    def build(layer: Layer) -> nn.Module:
        if layer.is_fixed:
            return build_layer(layer, norm)
        index = cell_at(space.cells, layer)
        return BuiltNodeCell(space.cells[index], wirings[index], space.operations, layer, norm)

    return Network(*map(build, space.layout(network)))


def _chain_network(space: ChainSpace, code: Codes, network: NetworkSpec, norm: Norm) -> Network:
    names = [decision.choices[choice] for decision, choice in zip(space.decisions, code, strict=True)]
    return Network(
        *(
            build_layer(layer, norm)
            if layer.decision is None
            else build_block(names[layer.decision], layer.shape, norm)
            for layer in space.layout(network)
        )
    )


def _resolution_network(space: ResolutionSpace, code: Codes, network: NetworkSpec, norm: Norm) -> Network:
    chosen = space.sizes(network)[code[0]]
    return Network(
        resizing(network.image_size, chosen.image_size), *_chain_network(space.chain, code[1:], chosen, norm)
    )


_BUILDERS: Mapping[type[Space], Callable[..., Network]] = {
    CellSpace: _cell_network,
    NodeSpace: _node_network,
    ChainSpace: _chain_network,
    ResolutionSpace: _resolution_network,
}

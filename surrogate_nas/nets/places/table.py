"""What stands in a supernet where something is searched: one module per kind of place."""

from collections.abc import Callable, Mapping

from torch import nn

from surrogate_nas.nets.places.cell import SharedCell
from surrogate_nas.nets.places.choice import SharedChoice
from surrogate_nas.nets.places.nodes import SharedNodeCell
from surrogate_nas.nets.places.resolution import SharedResolution
from surrogate_nas.space.network import CELL, CHOICE, NODES, RESOLUTION, Layer
from surrogate_nas.space.space import Space


def shared_layer(space: Space, layer: Layer) -> nn.Module:
    """All choices of a place with weights of their own; called with a batch of maps and a whole code, length D.

    A module with ``looks_back`` is called with that many of the latest maps, see ``surrogate_nas.nets.latest``; its
    ``weights_of`` gives the weights that a decision chooses among.

    Args:
        space: The search space.
        layer: A layer that is no fixed one.
    """
    return _SHARED[layer.kind](space, layer)


_SHARED: Mapping[str, Callable[..., nn.Module]] = {
    CELL: lambda space, layer: SharedCell(space, layer.in_channels),
    NODES: SharedNodeCell,
    CHOICE: SharedChoice,
    RESOLUTION: SharedResolution,
}

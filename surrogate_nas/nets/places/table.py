"""The table of the kinds of places: every stage that walks the layers of a network asks it by a layer's kind."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from surrogate_nas.nets.places.cell import CellPlace
from surrogate_nas.nets.places.choice import ChoicePlace
from surrogate_nas.nets.places.nodes import NodesPlace
from surrogate_nas.nets.places.protocol import Place
from surrogate_nas.nets.places.resolution import ResolutionPlace
from surrogate_nas.space.network import CELL, CHOICE, NODES, RESOLUTION
from surrogate_nas.space.space import Space

PLACES: Mapping[str, Place[Any]] = MappingProxyType(
    {CELL: CellPlace(), CHOICE: ChoicePlace(), NODES: NodesPlace(), RESOLUTION: ResolutionPlace()}
)


def places_of(space: Space) -> tuple[Place[Any], ...]:
    """Returns the kinds of places that networks of a space have."""
    kinds = dict.fromkeys(layer.kind for layer in space.layout(space.network) if not layer.is_fixed)
    return tuple(PLACES[kind] for kind in kinds)

"""Standalone networks: the module of one architecture, which owns its weights."""

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor, nn

from surrogate_nas.nets.latest import Latest, furthest
from surrogate_nas.nets.layers import build_layer
from surrogate_nas.nets.operations import Norm
from surrogate_nas.nets.places.table import PLACES
from surrogate_nas.space.layouts import layout_of
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space


class Network(nn.Sequential):
    """A whole network: (B, input channels, S, S) to class scores (B, classes)."""

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, input channels, S, S) to (B, classes); cells may look back further than one layer."""
        latest = Latest(x, furthest(self))
        for layer in self:
            latest.add(layer(latest.given_to(layer)))
        return latest.value


def build_network(space: Space, code: ArrayLike, network: NetworkSpec, norm: Norm = nn.BatchNorm2d) -> Network:
    """Returns the network of one architecture, as written: pass an effective code to leave dead operations out.

    A code and its effective code compute the same from the same weights. Of dead operations those that no data reach
    are not run, others are run for nothing.

    Args:
        space: Search space of the code.
        code: Shape (D,).
        network: Sizes of the network.
        norm: Builds the normalisations.

    Raises:
        SpaceError: If the code does not belong to the space, or the sizes do not suit it.
    """
    row = space.check([np.asarray(code)])[0]
    return Network(
        *(
            build_layer(layer, norm) if layer.is_fixed else PLACES[layer.kind].standalone(space, layer, row, norm)
            for layer in layout_of(space, row, network)
        )
    )

"""The layers of every architecture of a space: the same for all, or some for each size that architectures choose.

Symbols:
    N: architectures. D: decisions of the space. P: layers of a network.
"""

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.space.network import RESOLUTION, Layer, NetworkSpec
from surrogate_nas.space.space import Space

Layers = tuple[Layer, ...]


@runtime_checkable
class ChoosesSize(Protocol):
    """A space whose architectures choose sizes that change the layers behind the choice."""

    def layer_variants(self, network: NetworkSpec) -> tuple[Layers, ...]:
        """Returns for each of P positions the layers that may stand there; ``Space.layout`` has the last of each."""
        ...

    def chosen_variants(self, codes: ArrayLike, network: NetworkSpec) -> NDArray[np.int64]:
        """Returns the one of them that each architecture has at each position, codes (N, D) to (N, P)."""
        ...


def layer_variants(space: Space, network: NetworkSpec) -> tuple[Layers, ...]:
    """Returns for each of P positions the layers that may stand there in networks of the space, the largest last.

    Raises:
        SpaceError: If the sizes of the network do not suit the space.
    """
    if isinstance(space, ChoosesSize):
        return space.layer_variants(network)
    return tuple((layer,) for layer in space.layout(network))


def chosen_variants(space: Space, codes: ArrayLike, network: NetworkSpec) -> NDArray[np.int64]:
    """Returns the position in ``layer_variants`` of each layer of each architecture, codes (N, D) to (N, P)."""
    if isinstance(space, ChoosesSize):
        return space.chosen_variants(codes, network)
    return np.zeros((len(space.check(codes)), len(space.layout(network))), dtype=np.int64)


def layout_of(space: Space, code: ArrayLike, network: NetworkSpec) -> Layers:
    """Returns the layers of one architecture, shape (D,)."""
    chosen = chosen_variants(space, [np.asarray(code)], network)[0]
    return tuple(variants[one] for variants, one in zip(layer_variants(space, network), chosen, strict=True))


def seen_size(space: Space, code: ArrayLike, network: NetworkSpec) -> int:
    """Returns the side in pixels to which an architecture, shape (D,), resizes its images."""
    return next(layer.in_size for layer in layout_of(space, code, network) if layer.kind != RESOLUTION)


def smallest_map(space: Space, network: NetworkSpec) -> int:
    """Returns the smallest side in pixels of the last layer's input, over all architectures."""
    return min(layer.in_size for layer in layer_variants(space, network)[-1])


def decides_by_layer(layers: Layers) -> bool:
    """Returns whether each searched layer has one decision of its own, as in a chain."""
    return all(layer.decision is not None for layer in layers if not layer.is_fixed)

"""The layers of every architecture of a space: one sequence for all, or one for each size that architectures choose."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.space.network import RESOLUTION, Layer, NetworkSpec
from surrogate_nas.space.space import Space

Layers = tuple[Layer, ...]


@runtime_checkable
class ChoosesSize(Protocol):
    """A space whose architectures choose a size that changes the layers behind the choice."""

    def layouts(self, network: NetworkSpec) -> tuple[Layers, ...]:
        """Returns the layers at each size; ``Space.layout`` has those at the largest."""
        ...

    def size_choices(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Returns the position in ``layouts`` of each architecture's layers, codes (N, D) to (N,)."""
        ...


def layouts(space: Space, network: NetworkSpec) -> tuple[Layers, ...]:
    """Returns every sequence of layers that an architecture of the space may have.

    Raises:
        SpaceError: If the sizes of the network do not suit the space.
    """
    return space.layouts(network) if isinstance(space, ChoosesSize) else (space.layout(network),)


def layout_of(space: Space, code: ArrayLike, network: NetworkSpec) -> Layers:
    """Returns the layers of one architecture, shape (D,)."""
    choice = space.size_choices([np.asarray(code)])[0] if isinstance(space, ChoosesSize) else 0
    return layouts(space, network)[choice]


def by_layout(space: Space, codes: ArrayLike, network: NetworkSpec) -> Iterator[tuple[NDArray[np.int64], Layers]]:
    """Yields the rows of codes (N, D) that have the same layers, and these layers."""
    checked = space.check(codes)
    chosen = space.size_choices(checked) if isinstance(space, ChoosesSize) else np.zeros(len(checked), dtype=np.int64)
    for choice, layers in enumerate(layouts(space, network)):
        yield np.flatnonzero(chosen == choice), layers


def seen_size(space: Space, code: ArrayLike, network: NetworkSpec) -> int:
    """Returns the side in pixels to which an architecture, shape (D,), resizes its images."""
    return next(layer.in_size for layer in layout_of(space, code, network) if layer.kind != RESOLUTION)


def smallest_map(space: Space, network: NetworkSpec) -> int:
    """Returns the smallest side in pixels of the last layer's input, over all architectures."""
    return min(layers[-1].in_size for layers in layouts(space, network))


def decides_by_layer(layers: Layers) -> bool:
    """Returns whether each searched layer has one decision of its own, as in a chain."""
    return all(layer.decision is not None for layer in layers if not layer.is_fixed)

"""Counts the peak of activation memory of a network: the most bytes of feature maps that are alive at once.

The peak belongs to the forward pass that the built network makes for one image in float32, the image included: layer by
layer, edge by edge. A feature map is alive from its computation until nothing refers to it. Weights and the workspace
of kernels are not counted. A compiled network may need less.

Symbols:
    N: architectures. P: layers of a network.
"""

from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.costs.number_formats import NUMBER_BYTES
from surrogate_nas.nets.places.table import PLACES, places_of
from surrogate_nas.space.layouts import chosen_variants, layer_variants
from surrogate_nas.space.network import Layer, NetworkSpec
from surrogate_nas.space.operations.fixed import find_fixed_layer
from surrogate_nas.space.space import Codes, Space


def counts_memory(space: Space) -> bool:
    """Returns whether activation memory is counted for a space; users' own operations are counted in chains only."""
    return space.program is None or all(place.measures_own for place in places_of(space))


def activation_bytes(space: Space, codes: ArrayLike, network: NetworkSpec) -> NDArray[np.int64]:
    """Returns the peak of each network as written, shape (N,); ``effective(codes)`` gives the deployed network's.

    Raises:
        SpaceError: If the codes do not belong to the space, or the sizes do not suit it.
    """
    # The image is counted separately, since the caller holds it to the end.
    image = network.input_channels * network.image_size**2
    return np.asarray(NUMBER_BYTES["float32"] * (image + _peak(space, codes, network, 0)), dtype=np.int64)


def planned_numbers(space: Space, codes: ArrayLike, network: NetworkSpec) -> NDArray[np.int64]:
    """Returns the most numbers alive at once where a planner may use the image's memory again, shape (N,).

    Raises:
        SpaceError: If the codes do not belong to the space, or the sizes do not suit it.
    """
    return _peak(space, codes, network, network.input_channels * network.image_size**2)


def _peak(space: Space, codes: ArrayLike, network: NetworkSpec, image: int) -> NDArray[np.int64]:
    """Returns the most numbers alive, shape (N,), the image's among them until the first layer is done."""
    codes, positions = space.check(codes), layer_variants(space, network)
    chosen = chosen_variants(space, codes, network)  # (N, P)
    # Outputs that a later layer may read stay alive until then.
    latest: deque[NDArray[np.int64]] = deque(maxlen=max(1, *(len(variants[0].outside) for variants in positions)))
    latest.append(np.full(len(codes), image))
    needed = _needed(space, [layer for variants in positions for layer in variants], codes)
    peak = np.zeros(len(codes), dtype=np.int64)
    for variants, choice in zip(positions, chosen.T, strict=True):
        alive = np.stack([np.broadcast_to(next(needed), len(codes)) for _ in variants])[choice, np.arange(len(codes))]
        peak = np.maximum(peak, sum(latest) + alive)
        latest.append(np.array([0 if layer.hands_on else layer.shape.outputs for layer in variants])[choice])
    return peak


def _needed(space: Space, layers: Sequence[Layer], codes: Codes) -> Iterator[NDArray[np.int64] | int]:
    """Yields the most numbers alive at once at each layer, in addition to its inputs."""
    places = {
        kind: PLACES[kind].alive(space, [layer for layer in layers if layer.kind == kind], codes)
        for kind in dict.fromkeys(layer.kind for layer in layers if not layer.is_fixed)
    }
    for layer in layers:
        yield find_fixed_layer(layer.kind).alive(layer.shape) if layer.is_fixed else next(places[layer.kind])

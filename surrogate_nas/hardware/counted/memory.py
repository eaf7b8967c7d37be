"""Counts the peak of activation memory of a network: the most bytes of feature maps that are alive at once.

The peak belongs to the forward pass that the built network makes for one image in float32, the image included: layer by
layer, edge by edge. A feature map is alive from its computation until nothing refers to it. Weights and the workspace
of kernels are not counted. A compiled network may need less.

Symbols:
    N: architectures.
"""

from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.nets.places.table import PLACES, places_of
from surrogate_nas.space.layouts import by_layout
from surrogate_nas.space.network import Layer, NetworkSpec
from surrogate_nas.space.operations.fixed import find_fixed_layer
from surrogate_nas.space.space import Codes, Space

BYTES = 4


def counts_memory(space: Space) -> bool:
    """Returns whether activation memory is counted for a space; users' own operations are counted in chains only."""
    return space.program is None or all(place.measures_own for place in places_of(space))


def activation_bytes(space: Space, codes: ArrayLike, network: NetworkSpec) -> NDArray[np.int64]:
    """Returns the peak of each network as written, shape (N,); ``effective(codes)`` gives the deployed network's.

    Raises:
        SpaceError: If the codes do not belong to the space, or the sizes do not suit it.
    """
    checked = space.check(codes)
    peaks = np.zeros(len(checked), dtype=np.int64)
    for members, layers in by_layout(space, checked, network):
        peaks[members] = _peak(space, layers, checked[members])
    # The image is counted separately, since the caller holds it to the end.
    return np.asarray(BYTES * (network.input_channels * network.image_size**2 + peaks), dtype=np.int64)


def _peak(space: Space, layers: Sequence[Layer], codes: Codes) -> NDArray[np.int64]:
    """Returns the most numbers alive in addition to the image, shape (N,), in networks that have the same layers."""
    running = [layer for layer in layers if not layer.hands_on]
    # Outputs that a later layer may read stay alive until then.
    latest: deque[int] = deque(maxlen=max([1, *(len(layer.outside) for layer in running)]))
    peak = np.zeros(len(codes), dtype=np.int64)
    for layer, needed in zip(running, _needed(space, running, codes), strict=True):
        peak = np.maximum(peak, sum(latest) + needed)
        latest.append(layer.shape.outputs)
    return peak


def _needed(space: Space, layers: Sequence[Layer], codes: Codes) -> Iterator[NDArray[np.int64] | int]:
    """Yields the most numbers alive at once at each layer, in addition to its inputs."""
    places = {
        kind: PLACES[kind].alive(space, [layer for layer in layers if layer.kind == kind], codes)
        for kind in dict.fromkeys(layer.kind for layer in layers if not layer.is_fixed)
    }
    for layer in layers:
        yield find_fixed_layer(layer.kind).alive(layer.shape) if layer.is_fixed else next(places[layer.kind])

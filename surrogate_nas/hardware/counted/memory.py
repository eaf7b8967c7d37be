"""Activation memory peak of a network, counted: the most bytes of feature maps that are alive at once.

Of the forward pass as the built network makes it, for one image in float32, the image included: layer by layer, edge by
edge; a feature map is alive from where it is computed until nothing refers to it. Weights and what a kernel needs for
itself are not in it. A compiled network may need less.

Symbols:
    N: architectures.
    E: edges of the cell.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.hardware.counted.node_memory import node_peak
from surrogate_nas.space.dispatch import of_kind
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.kinds.chain.elastic import ResolutionSpace
from surrogate_nas.space.kinds.chain.space import ChainSpace
from surrogate_nas.space.kinds.nodes.space import NodeSpace
from surrogate_nas.space.network import CELL, NetworkSpec
from surrogate_nas.space.operations.fixed import find_fixed_layer
from surrogate_nas.space.operations.spec import Shape
from surrogate_nas.space.operations.table import operation_spec
from surrogate_nas.space.space import Codes, Space

BYTES = 4
_ABSENT = -1


def counts_memory(space: Space) -> bool:
    """Whether activation memory is counted for a space; that of operations which users wrote is in chains only."""
    return isinstance(space, tuple(_PEAKS)) and (
        space.program is None or isinstance(space, ChainSpace | ResolutionSpace)
    )


def activation_bytes(space: Space, codes: ArrayLike, network: NetworkSpec) -> NDArray[np.int64]:
    """Peak of each network as written, shape (N,), for codes (N, D): pass ``effective(codes)`` for what is deployed.

    Raises:
        SpaceError: If the space is of a kind whose networks cannot be built.
    """
    peak = of_kind(_PEAKS, space, "activation memory is counted")(space, space.check(codes), network)
    image = network.input_channels * network.image_size**2
    return np.asarray(BYTES * (image + peak), dtype=np.int64)


def _cell_peak(space: CellSpace, codes: Codes, network: NetworkSpec) -> NDArray[np.int64]:
    """Most numbers alive but for the image, shape (N,)."""
    cell_maps = _cell_maps(space, codes)
    peak = np.zeros(len(codes), dtype=np.int64)
    for position, layer in enumerate(space.layout(network)):
        if layer.kind == CELL:
            peak = np.maximum(peak, cell_maps * layer.shape.inputs)
        else:
            # The image is counted apart, since whoever called holds it to the end.
            before = layer.shape.inputs if position else 0
            peak = np.maximum(peak, before + find_fixed_layer(layer.kind).alive(layer.shape))
    return peak


def _cell_maps(space: CellSpace, codes: Codes) -> NDArray[np.int64]:
    """Most feature maps of the cell's size alive at once, its input included, shape (N,).

    Every feature map gets a number; an identity and the node it feeds share one.
    """
    count = len(codes)
    specs = [operation_spec(name) for name in space.operations]
    is_zero = np.array([spec.is_zero for spec in specs])
    is_identity = np.array([spec.is_identity for spec in specs])
    maps = np.array([spec.alive(Shape(1, 1, 1, 1)) for spec in specs])
    nodes = np.full((count, space.output + 1), _ABSENT, dtype=np.int64)
    nodes[:, 0] = 0
    last = np.full(
        count, _ABSENT, dtype=np.int64
    )  # what the previous edge gave, alive until the next one gives its own
    peak = np.ones(count, dtype=np.int64)
    for column, (start, end) in enumerate(space.edges):
        choice = codes[:, column]
        runs = ~is_zero[choice] & (nodes[:, start] != _ABSENT)
        peak = np.where(runs, np.maximum(peak, _distinct(nodes, last) + maps[choice]), peak)
        value = np.where(is_identity[choice], nodes[:, start], 2 * column + 1)
        last = np.where(runs, value, last)
        adds = runs & (nodes[:, end] != _ABSENT)
        peak = np.where(adds, np.maximum(peak, _distinct(nodes, last) + 1), peak)
        nodes[:, end] = np.where(adds, 2 * column + 2, np.where(runs, value, nodes[:, end]))
    # Zeros in the place of an output that nothing reaches.
    cut = nodes[:, space.output] == _ABSENT
    return np.where(cut, np.maximum(peak, _distinct(nodes, last) + 1), peak)


def _distinct(nodes: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.int64]:
    """Different feature maps among nodes and the last value, shape (N,)."""
    held = np.sort(np.column_stack([nodes, last]), axis=1)
    fresh = np.diff(held, axis=1) > 0
    return np.asarray(fresh.sum(axis=1) + (held[:, 0] != _ABSENT), dtype=np.int64)


def _chain_peak(space: ChainSpace, codes: Codes, network: NetworkSpec, *, resized: bool = False) -> NDArray[np.int64]:
    """Most numbers alive but for the image, shape (N,); the first layer may take a resized copy of it."""
    layers = space.layout(network)
    before = {layer.decision: layer.shape.inputs * (resized or place > 0) for place, layer in enumerate(layers)}
    fixed = [
        layer.shape.inputs * (resized or place > 0) + find_fixed_layer(layer.kind).alive(layer.shape)
        for place, layer in enumerate(layers)
        if layer.is_fixed
    ]
    tables = space.block_tables(network, lambda block, layer: before[layer.decision] + block.alive(layer.shape))
    chosen = [table[codes[:, column]] for column, table in enumerate(tables)]
    return np.asarray(np.maximum(np.max(chosen, axis=0), max(fixed)), dtype=np.int64)


def _resolution_peak(space: ResolutionSpace, codes: Codes, network: NetworkSpec) -> NDArray[np.int64]:
    """Most numbers alive but for the image, shape (N,)."""

    def peak(chain: Codes, chosen: NetworkSpec) -> NDArray[np.int64]:
        return _chain_peak(space.chain, chain, chosen, resized=chosen.image_size < network.image_size)

    return space.by_resolution(codes, network, peak)


_PEAKS: Mapping[type[Space], Callable[..., NDArray[np.int64]]] = {
    CellSpace: _cell_peak,
    ChainSpace: _chain_peak,
    NodeSpace: node_peak,
    ResolutionSpace: _resolution_peak,
}

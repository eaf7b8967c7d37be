"""The forward pass of a cell, counted: its additions, and its feature maps alive at once.

Edge by edge, as the built cell makes it; a feature map is alive from where it is computed until nothing refers to it.

Symbols:
    N: architectures.
    E: edges of the cell.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.operations.spec import Shape
from surrogate_nas.space.operations.table import operation_spec
from surrogate_nas.space.space import Codes

_ABSENT = -1


def additions(space: CellSpace, codes: ArrayLike) -> NDArray[np.int64]:
    """Returns the tensor additions in one cell, shape (N,), of effective codes (N, E): k inputs need k - 1."""
    checked = space.check(codes)
    zero = np.array([operation_spec(name).is_zero for name in space.operations])
    live = ~zero[checked]
    total = np.zeros(len(checked), dtype=np.int64)
    for node in {end for _, end in space.edges}:
        inputs = live[:, [end == node for _, end in space.edges]].sum(axis=1)
        total += np.maximum(inputs - 1, 0)
    return total


def alive_maps(space: CellSpace, codes: Codes) -> NDArray[np.int64]:
    """Returns the most feature maps of the cell's size alive at once, its input included, shape (N,).

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
    """Returns the number of different feature maps among nodes and the last value, shape (N,)."""
    held = np.sort(np.column_stack([nodes, last]), axis=1)
    fresh = np.diff(held, axis=1) > 0
    return np.asarray(fresh.sum(axis=1) + (held[:, 0] != _ABSENT), dtype=np.int64)

"""The smallest and the largest architecture of a cell whose nodes choose their inputs, without listing the cell.

From the last node to the first: all that nodes further in need to know is which of them something takes in.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.space.kinds.nodes.node_cell import NodeCell

Pick = Callable[[int, int], int]


def cost_range(cell: NodeCell, costs: NDArray[np.int64]) -> tuple[int, int]:
    """Returns the smallest and largest sum of the costs of a cell's live operations.

    Args:
        cell: The cell.
        costs: Of each operation at a stride of 1 and of 2, at least 0, shape (2, O).
    """
    lowest, highest = costs.min(axis=1).tolist(), costs.max(axis=1).tolist()
    return _extreme(cell, lowest, min), _extreme(cell, highest, max)


def _extreme(cell: NodeCell, of_stride: list[int], better: Pick) -> int:
    """Returns the best sum, where an operation costs ``of_stride[stride - 1]``."""
    # Inner nodes that something takes in, to the best sum of those further out.
    found: dict[frozenset[int], int] = {}
    for places in cell.inputs_of(cell.nodes):
        found[_inner(cell, places)] = 0
    for node in reversed(range(cell.nodes)):
        grown: dict[frozenset[int], int] = {}
        for taken, total in found.items():
            for places in cell.inputs_of(node) if node in taken else ((),):
                needed = (taken - {node}) | _inner(cell, places)
                value = total + (_cost(cell, places, of_stride) if places else 0)
                grown[needed] = better(grown[needed], value) if needed in grown else value
        found = grown
    return found[frozenset()]


def _inner(cell: NodeCell, places: tuple[int, ...]) -> frozenset[int]:
    return frozenset(place - cell.inputs for place in places if place >= cell.inputs)


def _cost(cell: NodeCell, places: tuple[int, ...], of_stride: list[int]) -> int:
    if not cell.on_edges:
        return of_stride[0]
    return sum(of_stride[int(cell.reduces and place < cell.inputs)] for place in places)

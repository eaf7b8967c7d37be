"""The forward pass of a cell whose nodes choose their inputs, counted: its numbers alive at once.

A cell has the values from outside, their projections and every value of its own alive to its end, since a later node
may take them in; what changes from step to step is the need of a projection, an operation or a sum.

Symbols:
    N: architectures.
    c: width of a cell. s: side of its values, and r of its projected inputs.
"""

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.space.kinds.nodes.layout import node_width, projections
from surrogate_nas.space.kinds.nodes.node_cell import NodeCell
from surrogate_nas.space.network import Layer
from surrogate_nas.space.operations.fixed import find_fixed_layer
from surrogate_nas.space.operations.spec import Shape
from surrogate_nas.space.operations.table import operation_spec
from surrogate_nas.space.space import Codes

Numbers = NDArray[np.int64]


def alive_numbers(cell: NodeCell, codes: Codes, operations: tuple[str, ...], layer: Layer) -> Numbers:
    """Returns the most numbers of one image alive at once in a cell besides its inputs, shape (N,)."""
    held, peak = 0, 0
    for projection in projections(cell, layer):
        peak = max(peak, held + find_fixed_layer(projection.kind).alive(projection.shape))
        held += projection.shape.outputs
    width, r, s = node_width(cell, layer), layer.in_size, layer.out_size
    one = width * s * s
    alive = np.array(
        [
            [operation_spec(name, stride).alive(Shape(width, width, r if stride == 2 else s, s)) for name in operations]
            for stride in (1, 2)
        ]
    )
    live = cell.live(codes)
    now, most = np.full(len(codes), held), np.full(len(codes), peak)
    for node in range(cell.nodes):
        needed, kept = _node_needs(cell, codes, node, alive, one)
        most = np.where(live[:, node], np.maximum(most, now + needed), most)
        now += np.where(live[:, node], kept, 0)
    return np.asarray(np.maximum(most, now + cell.parts * one))


def _node_needs(cell: NodeCell, codes: Codes, node: int, alive: Numbers, one: int) -> tuple[Numbers, Numbers]:
    """Returns the most numbers alive while a node is worked out, and the numbers of its value: (N,) each.

    Args:
        cell: The cell.
        codes: Its part of the codes, (N, its decisions).
        node: Inner node, from 0.
        alive: What each operation needs at a stride of 1 and 2, shape (2, O); 0 is an identity.
        one: Numbers of one value.
    """
    places, choices = cell.places(codes, node), cell.choices(codes, node)
    number = places.shape[1]
    # While more than two values are added up, the last sum is alive together with the next one.
    sums = min(number - 1, 2) * one
    if not cell.on_edges:
        operation = alive[0, choices[:, 0]]
        summed = one if number > 1 else 0
        return np.maximum(sums, summed + operation), np.where(operation > 0, one, summed)
    operation = alive[cell.halves(places).astype(np.int64), choices]
    results = np.where(operation > 0, one, 0)
    before = np.cumsum(results, axis=1) - results
    needed = np.maximum((before + operation).max(axis=1), results.sum(axis=1) + sums)
    return needed, np.full(len(codes), one) if number > 1 else results[:, 0]

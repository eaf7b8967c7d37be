"""Architectures of several cells as one graph each: the cells one after another.

Symbols:
    N: architectures. V: nodes of a graph. I: inputs of a cell. M: inner nodes. O: operations.

Nodes are the input; of each cell its inputs (where there are several), its operations, with operations on edges the
sums that they make, and, but for the last cell, its concatenation; the output. So the longest path through a graph adds
up the cells' counts, and cells that share an operation have different types for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.space.graphs import ABSENT, FIRST_TYPE, INPUT, OUTPUT, Graphs, GraphTypes
from surrogate_nas.space.kinds.nodes.node_cell import NodeCell
from surrogate_nas.space.operations.spec import OperationSpec
from surrogate_nas.space.operations.table import OPERATIONS, operation_spec
from surrogate_nas.space.space import Codes


@dataclass(frozen=True)
class CellTypes:
    """Numbers of the node types of a space with these cells.

    Attributes:
        all: All types.
        first_of: First type of a cell's operations at a stride of 1 and 2, by cell.
        mark_inputs: Type of the first input of a cell; the others follow.
        mark_sum: Type of a sum.
        mark_end: Type of a concatenation.
    """

    all: GraphTypes
    first_of: tuple[tuple[int, int], ...]
    mark_inputs: int
    mark_sum: int
    mark_end: int


def cell_types(cells: Sequence[NodeCell], operations: Sequence[str]) -> CellTypes:
    """Returns the types of a space with these cells: operations by cell and stride, then marks."""
    specs: list[OperationSpec] = []
    first_of = []
    for cell in cells:
        first = FIRST_TYPE + len(specs)
        first_of.append((first, first + len(operations) * cell.reduces))
        for stride in (1, 2) if cell.reduces else (1,):
            specs += [operation_spec(name, stride) for name in operations]
    inputs, start = max(cell.inputs for cell in cells), FIRST_TYPE + len(specs)
    names = [*(f"input {number}" for number in range(inputs)), "sum", "concatenation"]
    marks = [replace(OPERATIONS["skip_connect"], name=name) for name in names]
    types = GraphTypes((*specs, *marks), marks=len(marks))
    return CellTypes(types, tuple(first_of), start, start + inputs, start + inputs + 1)


def node_graphs(cells: Sequence[NodeCell], codes: Sequence[Codes], operations: Sequence[str]) -> Graphs:
    """Graphs of architectures without dead nodes.

    Args:
        cells: The cells.
        codes: The part of the codes that belongs to each cell, shape (N, decisions of the cell) each.
        operations: Names of the operations.
    """
    types = cell_types(cells, operations)
    count = len(codes[0])
    width = 2 + sum(_width(cell) for cell in cells) + len(cells) - 1
    operation = np.full((count, width), ABSENT, dtype=np.int64)
    adjacency = np.zeros((count, width, width), dtype=bool)
    operation[:, 0], operation[:, -1] = INPUT, OUTPUT
    start = 0
    for index, (cell, part) in enumerate(zip(cells, codes, strict=True)):
        end = start + _width(cell) + 1
        if index < len(cells) - 1:
            operation[:, end] = types.mark_end
        _fill(cell, part, types, types.first_of[index], start, end, operation, adjacency)
        start = end
    present = operation != ABSENT
    return Graphs(operation, adjacency & present[:, :, None] & present[:, None, :], types.all.number)


def _width(cell: NodeCell) -> int:
    """Nodes of a graph that belong to a cell alone."""
    slots = sum(cell.slots(node) for node in range(cell.nodes))
    return (cell.inputs if cell.inputs > 1 else 0) + slots + (cell.nodes if cell.on_edges else 0)


def _fill(
    cell: NodeCell,
    codes: Codes,
    types: CellTypes,
    first: tuple[int, int],
    start: int,
    end: int,
    operation: NDArray[np.int64],
    adjacency: NDArray[np.bool_],
) -> None:
    """Enters one cell between the graph nodes ``start``, which feeds it, and ``end``, which it feeds."""
    rows, live = np.arange(len(codes)), cell.live(codes)
    where = np.full(cell.inputs + cell.nodes, start)  # graph node of each place's value
    free = start + 1
    if cell.inputs > 1:
        where[: cell.inputs] = free + np.arange(cell.inputs)
        operation[:, free : free + cell.inputs] = types.mark_inputs + np.arange(cell.inputs)
        adjacency[:, start, free : free + cell.inputs] = True
        free += cell.inputs
    for node in range(cell.nodes):
        places, choices = cell.places(codes, node), cell.choices(codes, node)
        slots = cell.slots(node)
        where[cell.inputs + node] = free + slots if cell.on_edges else free
        for slot in range(slots):
            taken = places[:, [slot]] if cell.on_edges else places
            halves = cell.halves(taken[:, 0]) & cell.on_edges
            kind = np.array(first)[halves.astype(np.int64)] + choices[:, slot]
            operation[:, free + slot] = np.where(live[:, node], kind, ABSENT)
            adjacency[rows[:, None], where[taken], free + slot] = True
            if cell.on_edges:
                adjacency[:, free + slot, free + slots] = True
        if cell.on_edges:
            operation[:, free + slots] = np.where(live[:, node], types.mark_sum, ABSENT)
        free += slots + cell.on_edges
    adjacency[rows[:, None], where[cell.places(codes, cell.nodes)], end] = True

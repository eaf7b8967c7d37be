"""Smallest and largest cells against listing all of them."""

from itertools import product

import numpy as np
import pytest

from surrogate_nas.space.kinds.nodes.node_cell import NodeCell
from surrogate_nas.space.kinds.nodes.range import cost_range

CELLS = [
    NodeCell("normal", 2, (2, 2), None, on_edges=True),
    NodeCell("reduction", 2, (2, 1, 1), None, on_edges=True, reduces=True),
    NodeCell("chosen", 1, (1, 1, 2), 2, on_edges=True),
    NodeCell("nodes", 1, (1, 2, 2), 2, on_edges=False),
    NodeCell("loose", 1, (1, 1, 1), 1, on_edges=False),
]


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
@pytest.mark.parametrize("costs", [[[0, 7, 3], [5, 11, 4]], [[2, 2, 2], [9, 1, 1]]], ids=str)
def test_the_range_is_that_of_the_listed_cell(cell: NodeCell, costs: list[list[int]]) -> None:
    sizes = [3 if column.kind == "operation" else len(cell.inputs_of(column.node)) for column in cell.columns]
    codes = np.array(list(product(*map(range, sizes))), dtype=np.int8)
    table = np.array(costs)
    totals = (cell.operation_counts(codes, 3) * table).sum(axis=(1, 2))
    assert cost_range(cell, table) == (totals.min(), totals.max())

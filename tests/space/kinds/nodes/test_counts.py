"""Counting and drawing by dynamic programming, against listing every code of small cells."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from surrogate_nas.space.kinds.nodes.counts import cell_populations, draw_cells
from surrogate_nas.space.kinds.nodes.node_cell import NodeCell

OPERATIONS = ("skip_connect", "sep_conv_3x3", "dil_conv_5x5")
CELLS = [
    NodeCell("normal", 2, (2, 2), None, on_edges=True),
    NodeCell("reduction", 2, (2, 1, 1), None, on_edges=True, reduces=True),
    NodeCell("chosen", 1, (1, 1, 2), 2, on_edges=True),
    NodeCell("nodes", 1, (1, 2, 2), 2, on_edges=False),
    NodeCell("one", 1, (1,), None, on_edges=False),
]
OF_CELLS = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)


def listed(cell: NodeCell) -> NDArray[np.int8]:
    """Returns every code of a cell."""
    sizes = [
        len(OPERATIONS) if column.kind == "operation" else len(cell.inputs_of(column.node)) for column in cell.columns
    ]
    return np.array(list(product(*map(range, sizes))), dtype=np.int8)


@OF_CELLS
def test_populations_are_those_of_the_listed_cell(cell: NodeCell) -> None:
    counts, populations = np.unique(cell.nonlinear(listed(cell), OPERATIONS), return_counts=True)
    assert cell_populations(cell, OPERATIONS) == dict(zip(counts.tolist(), populations.tolist(), strict=True))


@OF_CELLS
def test_draws_have_the_wanted_counts_and_are_uniform(cell: NodeCell) -> None:
    codes = listed(cell)
    counts = cell.nonlinear(codes, OPERATIONS)
    for count, population in cell_populations(cell, OPERATIONS).items():
        rng = np.random.default_rng(count)
        drawn = draw_cells(cell, OPERATIONS, np.full(20 * min(population, 500), count), rng)
        members = {tuple(code) for code in codes[counts == count].tolist()}
        rows, often = np.unique(drawn, axis=0, return_counts=True)
        assert {tuple(row) for row in rows.tolist()} <= members
        expected = np.full(population, len(drawn) / population)
        seen = np.pad(often, (0, population - len(often)))
        if population > 1:
            assert stats.chisquare(seen, expected).pvalue > 1e-4


def test_one_batch_may_want_different_counts() -> None:
    cell = CELLS[0]
    wanted = np.array([4, 0, 2, 4, 3, 1, 0])
    drawn = draw_cells(cell, OPERATIONS, wanted, np.random.default_rng(0))
    assert cell.nonlinear(drawn, OPERATIONS).tolist() == wanted.tolist()

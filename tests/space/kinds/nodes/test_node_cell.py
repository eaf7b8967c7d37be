"""Facts read off whole batches of codes agree with following one code at a time through its text form."""

from itertools import product

import networkx as nx
import numpy as np
import pytest
from numpy.typing import NDArray

from surrogate_nas.space.kinds.nodes.node_cell import NodeCell, nonlinear_table

OPERATIONS = ("skip_connect", "sep_conv_3x3", "dil_conv_5x5", "max_pool_3x3")
CELLS = [
    NodeCell("normal", 2, (2, 2, 2, 2), None, on_edges=True),
    NodeCell("reduction", 2, (2, 2, 2), None, on_edges=True, reduces=True),
    NodeCell("chosen", 1, (1, 1, 2, 2), 2, on_edges=True),
    NodeCell("nodes", 1, (1, 2, 2, 2), 2, on_edges=False),
    NodeCell("three", 3, (1, 2), None, on_edges=False),
]
OF_CELLS = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)


def draws(cell: NodeCell, count: int, seed: int = 0) -> NDArray[np.int8]:
    """Returns uniform codes."""
    sizes = [
        len(OPERATIONS) if column.kind == "operation" else len(cell.inputs_of(column.node)) for column in cell.columns
    ]
    return np.random.default_rng(seed).integers(0, sizes, size=(count, len(sizes))).astype(np.int8)


def followed(cell: NodeCell, row: list[int]) -> tuple[nx.DiGraph, dict[int, tuple[int, int, int]]]:
    """Returns one cell as a graph of places, operations and an output, read column by column.

    Operations are nodes ``("op", number)``; the table has their choice, stride and node.
    """
    left = iter(row)
    graph, table, number = nx.DiGraph(), {}, 0
    graph.add_nodes_from([*range(cell.inputs + cell.nodes), "out"])
    for node in range(cell.nodes):
        known = cell.inputs_of(node)
        places = known[next(left) if len(known) > 1 else 0]
        groups = [(place,) for place in places] if cell.on_edges else [places]
        for group in groups:
            halves = cell.on_edges and cell.reduces and group[0] < cell.inputs
            table[number] = next(left), 2 if halves else 1, node
            graph.add_edges_from((place, ("op", number)) for place in group)
            graph.add_edge(("op", number), cell.inputs + node)
            number += 1
    known = cell.inputs_of(cell.nodes)
    graph.add_edges_from((place, "out") for place in known[next(left) if len(known) > 1 else 0])
    assert next(left, None) is None
    return graph, table


@OF_CELLS
def test_batches_agree_with_following_one_code_at_a_time(cell: NodeCell) -> None:
    codes = draws(cell, 60)
    inside = nonlinear_table(OPERATIONS)
    live, counts, additions = cell.live(codes), cell.operation_counts(codes, len(OPERATIONS)), cell.additions(codes)
    nonlinear = cell.nonlinear(codes, OPERATIONS)
    for row, code in enumerate(codes.tolist()):
        graph, table = followed(cell, code)
        needed = nx.ancestors(graph, "out")
        assert live[row].tolist() == [cell.inputs + node in needed for node in range(cell.nodes)]
        expected = np.zeros((2, len(OPERATIONS)), dtype=int)
        for number, (choice, stride, _) in table.items():
            expected[stride - 1, choice] += ("op", number) in needed
        assert counts[row].tolist() == expected.tolist()
        sums = [len(list(graph.predecessors(node))) for node in needed if node not in range(cell.inputs)]
        assert additions[row] == sum(max(number - 1, 0) for number in sums)
        weight = {("op", number): int(inside[stride - 1, choice]) for number, (choice, stride, _) in table.items()}
        paths = [path for start in range(cell.inputs) for path in nx.all_simple_paths(graph, start, "out")]
        assert nonlinear[row] == max(sum(weight.get(step, 0) for step in path) for path in paths)


@OF_CELLS
def test_the_effective_code_keeps_what_is_live_and_forgets_the_rest(cell: NodeCell) -> None:
    codes = draws(cell, 60)
    effective = cell.effective(codes)
    assert np.array_equal(cell.effective(effective), effective)
    assert np.array_equal(cell.live(effective), cell.live(codes))
    live = cell.live(codes)
    for index, column in enumerate(cell.columns):
        kept = np.ones(len(codes), dtype=bool) if column.kind == "output" else live[:, column.node]
        assert np.array_equal(effective[kept, index], codes[kept, index])
        assert not effective[~kept, index].any()
    if cell.output is None:
        assert np.array_equal(effective, codes)


@OF_CELLS
def test_a_wiring_is_the_live_part_of_a_code(cell: NodeCell) -> None:
    for code in draws(cell, 20):
        wiring, row = cell.wiring(code), code[None]
        assert [choice.node for choice in wiring.nodes] == np.flatnonzero(cell.live(row)[0]).tolist()
        assert list(wiring.output) == cell.places(row, cell.nodes)[0].tolist()
        for choice in wiring.nodes:
            assert list(choice.places) == cell.places(row, choice.node)[0].tolist()
            assert list(choice.operations) == cell.choices(row, choice.node)[0].tolist()


def test_a_darts_cell_has_the_size_of_the_paper() -> None:
    """arXiv 1806.09055, section 2.1: the product over k = 1 to 4 of (k + 1) k / 2 x 7^2, about 10^9."""
    cell = CELLS[0]
    ways = [len(cell.inputs_of(node)) * 7**2 for node in range(4)]
    assert ways == [(k + 1) * k // 2 * 49 for k in (1, 2, 3, 4)]
    assert [column.kind for column in cell.columns].count("inputs") == 3  # the first node has two inputs to take


def test_inputs_are_all_sets_of_earlier_places() -> None:
    for cell, node in product(CELLS, range(2)):
        known = cell.inputs_of(node)
        assert len(set(known)) == len(known)
        assert all(list(places) == sorted(set(places)) and places[-1] < cell.inputs + node for places in known)


def test_an_identity_has_a_nonlinear_function_where_it_halves_the_size() -> None:
    assert nonlinear_table(OPERATIONS).tolist() == [[0, 2, 1, 0], [1, 2, 1, 0]]

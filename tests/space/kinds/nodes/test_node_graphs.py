"""Graphs of cells against what is counted on codes, and a small one written out."""

import networkx as nx
import numpy as np

from surrogate_nas.space.graphs import FIRST_TYPE
from surrogate_nas.space.kinds.nodes.node_cell import NodeCell
from surrogate_nas.space.kinds.nodes.node_graphs import cell_types, node_graphs

OPERATIONS = ("skip_connect", "sep_conv_3x3", "max_pool_3x3")
NORMAL = NodeCell("normal", 2, (2, 2, 2), None, on_edges=True)
REDUCTION = NodeCell("reduction", 2, (2, 1), None, on_edges=True, reduces=True)
NODES = NodeCell("nodes", 1, (1, 2, 2), 2, on_edges=False)


def draws(cell: NodeCell, count: int) -> np.ndarray:
    """Returns uniform codes."""
    sizes = [
        len(OPERATIONS) if column.kind == "operation" else len(cell.inputs_of(column.node)) for column in cell.columns
    ]
    return np.random.default_rng(0).integers(0, sizes, size=(count, len(sizes))).astype(np.int8)


def test_longest_paths_and_numbers_of_operations_are_those_of_the_codes() -> None:
    for cells in ((NORMAL, REDUCTION), (NODES,), (NORMAL,)):
        codes = [draws(cell, 40) for cell in cells]
        graphs = node_graphs(cells, codes, OPERATIONS)
        types = cell_types(cells, OPERATIONS)
        assert graphs.num_types == types.all.number
        inside = [0] * FIRST_TYPE + [spec.nonlinear_functions for spec in types.all.operations]
        expected = sum(cell.nonlinear(part, OPERATIONS) for cell, part in zip(cells, codes, strict=True))
        live = sum(cell.operation_counts(part, 3).sum(axis=(1, 2)) for cell, part in zip(cells, codes, strict=True))
        for row in range(40):
            assert not np.tril(graphs.adjacency[row]).any()
            graph = nx.from_numpy_array(graphs.adjacency[row], create_using=nx.DiGraph)
            weights = [inside[kind] for kind in graphs.operations[row]]
            for start, end in graph.edges:
                graph.edges[start, end]["weight"] = weights[end]
            assert nx.dag_longest_path_length(graph) == np.asarray(expected)[row]
            kinds = graphs.operations[row]
            assert ((kinds >= FIRST_TYPE) & (kinds < types.mark_inputs)).sum() == np.asarray(live)[row]
            present = np.flatnonzero(kinds)
            last = len(kinds) - 1
            # What is present leads from the input to the output, but for an input of a cell that nothing takes in.
            marks = (kinds >= types.mark_inputs) & (kinds < types.mark_sum)
            assert all(nx.has_path(graph, 0, node) for node in present)
            assert all(nx.has_path(graph, node, last) for node in present if not marks[node])


def test_a_graph_of_nodes_written_out() -> None:
    """Convolution of the input; pooling of the input and the convolution; a dead node; both of the first at the end."""
    # Columns: operation of node 0; operation of node 1 (both inputs); inputs, operation of node 2; output.
    code = np.array([[1, 2, 2, 0, 3]], dtype=np.int8)
    assert [NODES.inputs_of(2)[2], NODES.inputs_of(3)[3]] == [(1, 2), (1, 2)]
    graphs = node_graphs([NODES], [code], OPERATIONS)
    assert graphs.operations.tolist() == [[1, FIRST_TYPE + 1, FIRST_TYPE + 2, 0, 2]]
    assert sorted(map(tuple, np.argwhere(graphs.adjacency[0]).tolist())) == [(0, 1), (0, 2), (1, 2), (1, 4), (2, 4)]


def test_cells_and_strides_have_types_of_their_own() -> None:
    types = cell_types([NORMAL, REDUCTION], OPERATIONS)
    assert types.first_of == ((3, 3), (6, 9))
    names = [spec.nonlinear_functions for spec in types.all.operations[:9]]
    assert names == [0, 2, 0, 0, 2, 0, 1, 2, 0]
    assert all(mark.is_identity for mark in types.all.operations[9:])
    graphs = node_graphs([NORMAL, REDUCTION], [draws(NORMAL, 1), draws(REDUCTION, 1)], OPERATIONS)
    # Input; of one cell two inputs, six operations, three sums, and its concatenation; of the other two, three, two.
    assert graphs.operations.shape == (1, 1 + 11 + 1 + 7 + 1)
    assert graphs.operations[0, [1, 2, 13, 14]].tolist() == [types.mark_inputs, types.mark_inputs + 1] * 2
    assert graphs.operations[0, 12] == types.mark_end


def test_the_same_cells_in_other_places_give_other_graphs() -> None:
    """Sums distinguish two parts of an output from one, which the operations alone would not."""
    cell = NodeCell("pairs", 2, (2, 2), None, on_edges=True)
    codes = np.array([[0, 1, 0, 0, 1], [0, 0, 0, 1, 1]], dtype=np.int8)
    graphs = node_graphs([cell], [codes], OPERATIONS)
    one, other = (nx.from_numpy_array(adjacency, create_using=nx.DiGraph) for adjacency in graphs.adjacency)
    for graph, kinds in zip((one, other), graphs.operations, strict=True):
        nx.set_node_attributes(graph, dict(enumerate(kinds.tolist())), "kind")
    assert not nx.is_isomorphic(one, other, node_match=lambda a, b: a["kind"] == b["kind"])

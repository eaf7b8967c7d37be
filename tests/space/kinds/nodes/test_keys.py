"""Keys against graph isomorphism by networkx, on graphs made in another way."""

import networkx as nx
import numpy as np
import pytest
from numpy.typing import NDArray

from surrogate_nas.space.kinds.nodes.keys import cell_keys, contracted
from surrogate_nas.space.kinds.nodes.node_cell import NodeCell

OPERATIONS = ("skip_connect", "sep_conv_3x3", "max_pool_3x3")
CELLS = [
    NodeCell("normal", 2, (2, 2, 2), None, on_edges=True),
    NodeCell("reduction", 2, (2, 2), None, on_edges=True, reduces=True),
    NodeCell("chosen", 1, (1, 1, 2), 2, on_edges=True),
    NodeCell("nodes", 1, (1, 2, 2), 2, on_edges=False),
    NodeCell("wide", 1, (1, 1, 1, 2), 2, on_edges=False),
]


def draws(cell: NodeCell, count: int) -> NDArray[np.int8]:
    """Returns uniform codes."""
    sizes = [
        len(OPERATIONS) if column.kind == "operation" else len(cell.inputs_of(column.node)) for column in cell.columns
    ]
    return np.random.default_rng(0).integers(0, sizes, size=(count, len(sizes))).astype(np.int8)


def as_graph(cell: NodeCell, code: NDArray[np.int8]) -> nx.DiGraph:
    """Returns a cell as sums and operations, in which identities are then contracted one at a time."""
    graph, number, row = nx.DiGraph(), 0, code[None]
    for place in range(cell.inputs):
        graph.add_node(place, label=f"input {place}")
    values: list[dict[object, int]] = [{place: 1} for place in range(cell.inputs)]
    for node in range(cell.nodes):
        places, choices = cell.places(row, node)[0].tolist(), cell.choices(row, node)[0].tolist()
        total: dict[object, int] = {}
        for group, choice in zip([[place] for place in places] if cell.on_edges else [places], choices, strict=True):
            arriving: dict[object, int] = {}
            for place in group:
                for source, ways in values[place].items():
                    arriving[source] = arriving.get(source, 0) + ways
            halves = cell.on_edges and cell.reduces and group[0] < cell.inputs
            if OPERATIONS[choice] == "skip_connect" and not halves:
                out = arriving
            else:
                name, number = ("op", number), number + 1
                graph.add_node(name, label=f"{OPERATIONS[choice]} {halves}")
                graph.add_edges_from((source, name, {"ways": ways}) for source, ways in arriving.items())
                out = {name: 1}
            for source, ways in out.items():
                total[source] = total.get(source, 0) + ways
        values.append(total)
    for part, place in enumerate(cell.places(row, cell.nodes)[0].tolist()):
        graph.add_node(("part", part), label="part")
        graph.add_edges_from((source, ("part", part), {"ways": ways}) for source, ways in values[place].items())
    needed = {f for part in range(cell.parts) for f in {("part", part), *nx.ancestors(graph, ("part", part))}}
    return graph.subgraph(needed | set(range(cell.inputs)))


@pytest.mark.quick_cases(3)
@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_keys_are_equal_exactly_where_cells_are_isomorphic(cell: NodeCell) -> None:
    codes = draws(cell, 90)
    keys = cell_keys(cell, codes, OPERATIONS)
    graphs = [as_graph(cell, code) for code in codes]
    same = {"node_match": lambda a, b: a["label"] == b["label"], "edge_match": lambda a, b: a["ways"] == b["ways"]}
    equal = 0
    for one in range(len(codes)):
        for other in range(one):
            sizes = graphs[one].number_of_nodes() == graphs[other].number_of_nodes()
            isomorphic = sizes and nx.is_isomorphic(graphs[one], graphs[other], **same)
            assert isomorphic == (keys[one] == keys[other]), (codes[one], codes[other])
            equal += isomorphic
    assert equal > 0


def test_two_uses_of_one_operation_are_not_two_operations() -> None:
    """Nodes 2 and 3 both take in one convolution, or each has its own."""
    cell = NodeCell("nodes", 1, (1, 1, 1, 2), 2, on_edges=False)
    # Operation of node 0; inputs and operation of 1; of 2; of 3; output: nodes 2 and 3.
    codes = np.array([[1, 1, 1, 1, 1, 2, 0, 9], [1, 1, 1, 0, 1, 2, 0, 9]], dtype=np.int8)
    assert cell.inputs_of(4)[9] == (3, 4)
    one, other = cell_keys(cell, codes, OPERATIONS)
    assert one != other


def test_identities_are_contracted_and_the_dead_dropped() -> None:
    cell = NodeCell("nodes", 1, (1, 1, 1), 1, on_edges=False)
    # A convolution and an identity after it; a convolution alone; in both the rest is dead. Output: node 2, node 1.
    codes = np.array([[1, 1, 0, 0, 2, 2], [1, 0, 2, 0, 1, 1]], dtype=np.int8)
    one, other = cell_keys(cell, codes, OPERATIONS)
    assert one == other
    types, flow = contracted(cell, codes, OPERATIONS)
    assert (types != 0).sum(axis=1).tolist() == [3, 3]
    assert flow.sum(axis=(1, 2)).tolist() == [2, 2]

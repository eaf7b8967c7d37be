"""Paths and graphs of cells against listing every path, and the text of architectures against the published strings."""

import csv
import itertools
import re
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.testing.spaces import live_operations

EDGES = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)]
NONE, SKIP, CONV_1X1, CONV_3X3, POOL = range(5)
NONLINEAR = {SKIP: 0, CONV_1X1: 1, CONV_3X3: 1, POOL: 0}
NETWORK = NetworkSpec(channels=2, cells=1, image_size=8)

loaded = load_space("nasbench201")
assert isinstance(loaded, CellSpace)
SPACE = loaded
CODE = st.lists(st.integers(0, 4), min_size=6, max_size=6)
CODES = st.lists(CODE, min_size=1, max_size=30).map(lambda rows: np.array(rows, dtype=np.int64))


def edge_paths(code: list[int], edges: list[tuple[int, int]] = EDGES) -> list[list[int]]:
    """Returns every path from input to output, as positions of edges."""
    output = max(end for _, end in edges)
    graph = nx.DiGraph()
    graph.add_nodes_from(range(output + 1))
    graph.add_edges_from(edge for edge, choice in zip(edges, code, strict=True) if choice != NONE)
    paths = nx.all_simple_paths(graph, 0, output)
    return [[edges.index(edge) for edge in itertools.pairwise(path)] for path in paths]


@given(CODES)
def test_paths_agree_with_listing_every_one(codes: NDArray[np.int64]) -> None:
    paths = [edge_paths(code) for code in codes.tolist()]
    live = [{position for path in of_code for position in path} for of_code in paths]
    counts = [
        max((sum(NONLINEAR[code[edge]] for edge in path) for path in of_code), default=0)
        for code, of_code in zip(codes.tolist(), paths, strict=True)
    ]
    assert SPACE.nonlinear_count(codes).tolist() == counts
    assert SPACE.is_connected(codes).tolist() == [bool(of_code) for of_code in paths]
    assert live_operations(SPACE, codes).tolist() == [len(edges) for edges in live]
    assert SPACE.effective(codes).tolist() == [
        [choice if edge in alive else NONE for edge, choice in enumerate(code)]
        for code, alive in zip(codes.tolist(), live, strict=True)
    ]


@st.composite
def _cells(draw: st.DrawFn) -> tuple[list[tuple[int, int]], list[int]]:
    """Edges of a cell of any shape that a definition may have, and a code."""
    nodes = draw(st.integers(2, 6))
    pairs = [(start, end) for end in range(1, nodes) for start in range(end)]
    chain = [(node, node + 1) for node in range(nodes - 1)]
    edges = [edge for edge in pairs if edge in chain or draw(st.booleans())]
    return edges, [draw(st.integers(0, 4)) for _ in edges]


@given(_cells())
def test_paths_and_text_agree_in_cells_of_other_shapes(
    cell: tuple[list[tuple[int, int]], list[int]],
) -> None:
    edges, code = cell
    space = CellSpace(Identity("other", "0" * 16), edges, SPACE.operations, NETWORK)
    paths = edge_paths(code, edges)
    assert space.is_connected([code]).tolist() == [bool(paths)]
    assert live_operations(space, [code]).tolist() == [len({edge for path in paths for edge in path})]
    counted = [sum(NONLINEAR[code[edge]] for edge in path) for path in paths]
    assert space.nonlinear_count([code]).tolist() == [max(counted, default=0)]
    assert space.parse(space.format(code)).tolist() == code


def test_populations_of_nonlinear_counts_are_those_of_the_paper() -> None:
    """EFS-NAS, arXiv 2412.14678."""
    assert np.bincount(SPACE.nonlinear_count(SPACE.all_codes())).tolist() == [1983, 7122, 5520, 1000]


# Graphs


@given(CODES)
def test_a_graph_holds_the_live_operations_and_joins_those_that_follow_each_other(codes: NDArray[np.int64]) -> None:
    graphs = SPACE.graphs(codes)
    assert graphs.num_types == 8
    assert graphs.operations.shape == (len(codes), 8)
    assert graphs.adjacency.shape == (len(codes), 8, 8)
    for code, operations, adjacency in zip(codes.tolist(), graphs.operations, graphs.adjacency, strict=True):
        paths = edge_paths(code)
        # A path visits the input, the operations on its edges, and the output.
        joined = {pair for path in paths for pair in itertools.pairwise([0, *(edge + 1 for edge in path), 7])}
        assert set(map(tuple, np.argwhere(adjacency).tolist())) == joined
        alive = {edge for path in paths for edge in path}
        assert operations.tolist() == [1, *(3 + c if e in alive else 0 for e, c in enumerate(code)), 2]


def test_graphs_of_the_whole_space_are_acyclic_and_reach_the_output_where_the_cell_is_connected() -> None:
    codes = SPACE.all_codes()
    adjacency = SPACE.graphs(codes).adjacency
    assert not np.tril(adjacency[0] | adjacency.any(axis=0)).any()  # data flow to later nodes only
    reached = np.zeros((len(codes), 8), dtype=bool)
    reached[:, 0] = True
    for _ in range(8):
        reached |= (reached[:, :, None] & adjacency).any(axis=1)
    assert np.array_equal(reached[:, 7], SPACE.is_connected(codes))


# Text


def test_codes_and_strings_are_those_of_the_published_table(shared_data: Path) -> None:
    with (shared_data / "nasbench201_accuracy.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    codes = np.array([[int(digit) for digit in row["code"]] for row in rows])
    assert len(rows) == SPACE.size == len(np.unique(SPACE.index(codes)))
    assert SPACE.digits(codes) == [row["code"] for row in rows]
    assert [SPACE.format(code) for code in codes] == [row["arch"] for row in rows]
    assert np.array_equal([SPACE.parse(row["arch"]) for row in rows], codes)


def test_an_architecture_reads_in_either_form_and_in_any_order_of_a_nodes_edges() -> None:
    text = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|none~2|"
    assert SPACE.format([3, 0, 1, 4, 2, 0]) == text
    for written in (text, f"  {text}\n", "301420", text.replace("|none~0|skip_connect~1|", "|skip_connect~1|none~0|")):
        assert SPACE.parse(written).tolist() == [3, 0, 1, 4, 2, 0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is 6 digits or of the form |OP~0|+|OP~0|OP~1|+|OP~0|OP~1|OP~2| (got '')"),
        ("01321", "is 6 digits or of the form |OP~0|+|OP~0|OP~1|+|OP~0|OP~1|OP~2| (got '01321')"),
        (
            "|none~0|+|none~0|none~1|",
            "|OP~0|OP~1|OP~2| (got '|none~0|+|none~0|none~1|')",
        ),
        ("|none~0|+|none~0||none~1|+|none~0|none~1|none~2|", "of the form |OP~0|"),
        ("|none~\u0660|+|none~0|none~1|+|none~0|none~1|none~2|", "of the form |OP~0|"),
        (f"|none~{'9' * 5000}|+|none~0|none~1|+|none~0|none~1|none~2|", "of the form |OP~0|"),
        ("|none~1|+|none~0|none~1|+|none~0|none~1|none~2|", "no such edge: 1<-1 in '|none~1|"),
        ("|none~0|+|none~0|none~0|+|none~0|none~1|none~2|", "edge given twice: 2<-0 in '|none~0|"),
        ("|none~0|+|none~0|+|none~0|none~1|none~2|", "edge 2<-1 is missing in '|none~0|"),
        (
            "|nil~0|+|none~0|none~1|+|none~0|none~1|none~2|",
            "unknown operation 'nil' on edge 1<-0; choose from none, ",
        ),
    ],
)
def test_a_malformed_architecture_is_refused_by_what_is_wrong_with_it(text: str, message: str) -> None:
    with pytest.raises(SpaceError, match=re.escape(message)):
        SPACE.parse(text)


@given(st.text(alphabet="|~+01 nonesk_ipct²\u0663", max_size=40))
def test_any_other_text_is_refused_without_a_traceback(text: str) -> None:
    try:
        code = SPACE.parse(text)
    except SpaceError:
        return
    assert text.strip() in {*SPACE.digits([code]), SPACE.format(code)}

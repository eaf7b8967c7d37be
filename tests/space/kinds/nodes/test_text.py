"""Cells as text, there and back, and the refusal of other text."""

import re

import numpy as np
import pytest

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.kinds.nodes.node_cell import NodeCell
from surrogate_nas.space.kinds.nodes.text import format_cell, parse_cell

OPERATIONS = ("skip_connect", "sep_conv_3x3", "max_pool_3x3")
EDGES = NodeCell("edges", 2, (2, 2), None, on_edges=True)
NODES = NodeCell("nodes", 1, (1, 2, 1), 2, on_edges=False)


def test_the_form_is_the_documented_one() -> None:
    edges, nodes = np.array([0, 1, 2, 2, 0]), np.array([1, 0, 2, 1, 3])
    assert format_cell(EDGES, edges, OPERATIONS) == "|skip_connect~0|sep_conv_3x3~1|+|max_pool_3x3~1|skip_connect~2|"
    assert format_cell(NODES, nodes, OPERATIONS) == "|sep_conv_3x3~0|+|skip_connect~0&1|+|sep_conv_3x3~2|+|output~1&2|"


@pytest.mark.parametrize("cell", [EDGES, NODES], ids=lambda cell: cell.name)
def test_text_is_read_back(cell: NodeCell) -> None:
    sizes = [3 if column.kind == "operation" else len(cell.inputs_of(column.node)) for column in cell.columns]
    for row in np.random.default_rng(0).integers(0, sizes, size=(50, len(sizes))):
        assert parse_cell(cell, format_cell(cell, row, OPERATIONS), OPERATIONS).tolist() == row.tolist()


def test_inputs_may_come_in_any_order() -> None:
    text = "|sep_conv_3x3~1|skip_connect~0|+|max_pool_3x3~2|skip_connect~1|"
    assert parse_cell(EDGES, text, OPERATIONS).tolist() == [0, 1, 2, 0, 2]
    assert parse_cell(
        NODES, "|sep_conv_3x3~0|+|skip_connect~1&0|+|sep_conv_3x3~2|+|output~2&1|", OPERATIONS
    ).tolist() == [
        *[1, 0, 2, 1],
        3,
    ]


@pytest.mark.parametrize(
    ("cell", "text", "message"),
    [
        (EDGES, "|skip_connect~0|sep_conv_3x3~1|", "a cell edges has 2 nodes joined by '+'"),
        (EDGES, "skip_connect~0+|skip_connect~0|", "node 0 of cell edges is not written as in |skip_connect~0|"),
        (EDGES, "|skip_connect~0|skip_connect~1|+|skip_connect~x|", "node 1 of cell edges is not written as in"),
        (
            EDGES,
            "|skip_connect~0|skip_connect~0|+|skip_connect~0|skip_connect~1|",
            "node 0 of cell edges takes in 0&1 (got",
        ),
        (
            EDGES,
            "|skip_connect~0|skip_connect~1|+|skip_connect~0&1|",
            "node 1 of cell edges takes in 0&1 or 0&2 or 1&2",
        ),
        (
            EDGES,
            "|skip_connect~0|none~1|+|skip_connect~0|skip_connect~1|",
            "unknown operation 'none' on node 0 of cell edges",
        ),
        (
            NODES,
            "|skip_connect~0|+|skip_connect~0&1|+|skip_connect~3|+|output~1&2|",
            "node 2 of cell nodes takes in 0 or 1 or 2",
        ),
        (NODES, "|skip_connect~0|+|skip_connect~0&1|+|skip_connect~1|+|skip_connect~1&2|", "choose from output"),
        (
            NODES,
            "|skip_connect~0|+|skip_connect~0&1|+|skip_connect~1|+|output~1|",
            "the output of cell nodes takes in 0&1",
        ),
        (EDGES, "", "a cell edges has 2 nodes joined by '+'"),
    ],
)
def test_what_is_wrong_is_said(cell: NodeCell, text: str, message: str) -> None:
    with pytest.raises(SpaceError, match=re.escape(message)):
        parse_cell(cell, text, OPERATIONS)

"""Definitions of spaces of node choices: what they amount to, and what a mistake in one is answered."""

import re
from pathlib import Path

import pytest

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.kinds.nodes.node_cell import NodeCell
from surrogate_nas.space.kinds.nodes.space import NodeSpace
from surrogate_nas.space.load import load_space

SPACES = Path(__file__).resolve().parents[4] / "spaces"
DARTS = (SPACES / "darts.toml").read_text(encoding="utf-8")
ONE = (SPACES / "nasbench1shot1_1.toml").read_text(encoding="utf-8")


def loaded(tmp_path: Path, text: str) -> NodeSpace:
    """Returns the space of a definition."""
    path = tmp_path / "space.toml"
    path.write_text(text, encoding="utf-8")
    space = load_space(str(path))
    assert isinstance(space, NodeSpace)
    return space


def test_darts_is_read_as_two_cells() -> None:
    space = load_space("darts")
    assert isinstance(space, NodeSpace)
    assert space.cells == (
        NodeCell("normal", 2, (2, 2, 2, 2), None, on_edges=True),
        NodeCell("reduction", 2, (2, 2, 2, 2), None, on_edges=True, reduces=True),
    )
    assert space.stem == 3


def test_nasbench1shot1_is_read_with_its_parents() -> None:
    """Zela et al., arXiv 2001.10422, table 1: parents of the nodes and of the output."""
    parents = {"1": ((1, 2, 2, 2), 2), "2": ((1, 1, 2, 2), 3), "3": ((1, 1, 1, 2, 2), 2)}
    for number, (nodes, output) in parents.items():
        space = load_space(f"nasbench1shot1_{number}")
        assert isinstance(space, NodeSpace)
        assert space.cells == (NodeCell("cell", 1, nodes, output, on_edges=False),)


def test_the_fingerprint_is_of_what_gives_codes_their_meaning(tmp_path: Path) -> None:
    fingerprint = loaded(tmp_path, DARTS).fingerprint
    assert loaded(tmp_path, DARTS.replace("channels = 16", "channels = 36")).fingerprint == fingerprint
    assert loaded(tmp_path, DARTS.replace("nodes = [2, 2, 2, 2]", "nodes = [2, 2, 2, 1]", 1)).fingerprint != fingerprint
    assert loaded(tmp_path, DARTS.replace("stem = 3", "stem = 2")).fingerprint != fingerprint


@pytest.mark.parametrize(
    ("text", "old", "new", "message"),
    [
        (DARTS, '"skip_connect"', '"skip"', "operations: unknown operation 'skip'; choose from skip_connect"),
        (DARTS, '"skip_connect"', '"none"', "operations: 'none' cuts its edge, but nodes choose what they take in"),
        (DARTS, '"skip_connect"', '"sep_conv_3x3"', "operations: 'sep_conv_3x3' appears twice"),
        (DARTS, 'name = "reduction"', 'name = "normal"', "cells.1.name: 'normal' is the name of both cells"),
        (DARTS, "reduces = true", "reduces = false", "cells.1.reduces: the second cell reduces and the first does not"),
        (DARTS, 'operations_on = "edges"', 'operations_on = "nodes"', "cells.1.reduces: operations on nodes cannot"),
        (DARTS, "reduces = true", "reduces = true\noutput = 2", "cells.1.output: inputs are larger than nodes here"),
        (DARTS, "nodes = [2, 2, 2, 2]", "nodes = [3, 2]", "cells.0.nodes.0: there are only 2 earlier values (got 3)"),
        (DARTS, "inputs = 2", "inputs = 3", "cells.0.inputs: input should be less than or equal to 2 (got 3)"),
        (DARTS, "inputs = 2", "input = 2", "unknown key 'cells.0.input'; the keys there are name, inputs, nodes"),
        (DARTS, "image_size = 32", "image_size = 30", "network: image_size must be a multiple of 4"),
        (ONE, "output = 2", "output = 6", "cells.0.output: there are only 5 earlier values (got 6)"),
        (ONE, "[1, 2, 2, 2]", "[1, 1, 1, 1, 1, 1, 1, 3]", "cells.0.nodes.7: 56 ways to take 3 of 8 values are more"),
        (ONE, 'operations_on = "nodes"', 'operations_on = "both"', "operations_on: input should be 'edges' or 'nodes'"),
    ],
)
def test_a_mistake_is_named_with_its_key(tmp_path: Path, text: str, old: str, new: str, message: str) -> None:
    assert old in text
    with pytest.raises(SpaceError, match=re.escape(message)):
        loaded(tmp_path, text.replace(old, new, 1))

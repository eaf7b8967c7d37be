"""Drawings of architectures of every space."""

from xml.etree import ElementTree

import numpy as np
import pytest

from surrogate_nas._support.definitions import available
from surrogate_nas.space.drawing import draw_architecture, draw_graph, graph_of
from surrogate_nas.space.load import load_space


@pytest.mark.parametrize("name", available("spaces"))
def test_a_drawing_has_a_box_for_every_node_and_a_line_for_every_flow(name: str) -> None:
    space = load_space(name)
    code = space.sample(1, np.random.default_rng(1))[0]
    graphs = space.graphs([code])
    root = ElementTree.fromstring(draw_architecture(space, code))
    kinds = [element.tag.rsplit("}", 1)[-1] for element in root.iter()]
    assert kinds.count("rect") == kinds.count("text") == (graphs.operations > 0).sum()
    assert kinds.count("path") == 1 + graphs.adjacency.sum()


def test_the_boxes_of_a_chain_say_which_block_is_where() -> None:
    space = load_space("quick")
    root = ElementTree.fromstring(draw_architecture(space, space.parse("0211")))
    texts = [element.text for element in root.iter() if element.tag.endswith("}text")]
    assert texts == ["input", "identity", "mbconv_k3_e2_se", "mbconv_k3_e2_se", "mbconv_k3_e1", "output"]


def test_what_is_no_operation_has_names_of_its_own() -> None:
    space = load_space("darts")
    boxes, flows = graph_of(space, space.sample(1, np.random.default_rng(0))[0])
    assert boxes[:3] == ("input", "input 0", "input 1")
    assert boxes.count("concatenation") == 1
    assert boxes.count("sum") > 2
    assert all(start < end for start, end in flows)


def test_lanes_of_different_boxes_do_not_overlap() -> None:
    element = ElementTree.fromstring(draw_graph("abcdef", [(0, 2), (0, 5), (1, 3), (2, 3), (3, 5)], "six"))
    ways = [path.get("d", "") for path in element.iter() if path.get("class") == "edge"]
    lanes = [way.split(" H")[1].split(" V")[0] for way in ways if " H" in way]
    assert lanes[0] == lanes[1]  # both out of the first box
    assert lanes[2] == lanes[3] != lanes[0]  # one ends where the other begins

"""Drawings of architectures of every space."""

from xml.etree import ElementTree

import numpy as np
import pytest

from surrogate_nas.definitions import available
from surrogate_nas.space.drawing import draw_architecture
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

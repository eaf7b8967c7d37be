"""The counted memory peak of cells of node choices against the feature maps that the built network has alive."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surrogate_nas.hardware.counted.memory import activation_bytes, counts_memory
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.kinds.nodes.forward import alive_numbers
from surrogate_nas.space.kinds.nodes.node_cell import NodeCell
from surrogate_nas.space.kinds.nodes.space import NodeSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from tests.hardware.live_maps import observed_peak

SIZES = [(4, 1, 16, 3), (3, 2, 8, 2), (1, 1, 8, 1)]


@pytest.mark.quick_cases(5)
@pytest.mark.parametrize("name", ["darts", "nasbench1shot1_1", "nasbench1shot1_2", "nasbench1shot1_3"])
@pytest.mark.parametrize(("channels", "cells", "image_size", "stages"), SIZES)
def test_peaks_are_those_of_the_built_network(
    name: str, channels: int, cells: int, image_size: int, stages: int
) -> None:
    space, network = load_space(name), NetworkSpec(channels, cells, image_size, 3, 10, stages=stages)
    codes = space.sample(3, np.random.default_rng(channels))
    counted = activation_bytes(space, codes, network)
    assert counted.tolist() == [observed_peak(space, code, network) for code in codes]


OPERATIONS = ("skip_connect", "max_pool_3x3", "nor_conv_1x1", "nor_conv_3x3", "sep_conv_3x3", "conv_bn_relu_3x3")


@pytest.mark.slow
@settings(max_examples=25)
@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=4),
    st.integers(1, 2),
    st.sampled_from([None, 1, 2]),
    st.booleans(),
    st.integers(1, 5),
    st.integers(0, 10**6),
)
def test_so_are_those_of_any_cells(
    wanted: list[int], inputs: int, output: int | None, on_edges: bool, channels: int, seed: int
) -> None:
    parents = tuple(min(number, inputs + node) for node, number in enumerate(wanted))
    cells = [NodeCell("one", inputs, parents, output, on_edges)]
    if on_edges:
        cells.append(NodeCell("two", 3 - inputs, (1, 2), None, on_edges, reduces=True))
    network = NetworkSpec(channels, 1, 12, 2, 10, stages=2)
    space = NodeSpace(Identity("any", "any"), cells, OPERATIONS, network, stem=2)
    codes = space.sample(2, np.random.default_rng(seed))
    assert activation_bytes(space, codes, network).tolist() == [observed_peak(space, code, network) for code in codes]


def test_many_codes_are_counted_at_once() -> None:
    space = load_space("darts")
    assert isinstance(space, NodeSpace)
    assert counts_memory(space)
    codes = space.sample(60, np.random.default_rng(0))
    layer = next(layer for layer in space.layout(space.network) if not layer.is_fixed)
    cell, part = space.cells[0], space.parts(codes)[0]
    together = alive_numbers(cell, part, space.operations, layer)
    assert together.tolist() == [alive_numbers(cell, row[None], space.operations, layer)[0] for row in part]
    assert len(set(activation_bytes(space, codes, space.network).tolist())) > 4


def test_dead_nodes_need_nothing() -> None:
    space = load_space("nasbench1shot1_3")
    codes = space.sample(200, np.random.default_rng(0))
    network = space.network
    assert np.array_equal(
        activation_bytes(space, space.effective(codes), network), activation_bytes(space, codes, network)
    )

"""What all kinds of spaces keep to in their graphs."""

import numpy as np
import pytest

from surrogate_nas._support.definitions import available
from surrogate_nas.space.load import load_space


@pytest.mark.parametrize("name", available("spaces"))
def test_graphs_lead_from_the_first_to_the_last_node_and_have_known_types(name: str) -> None:
    space = load_space(name)
    codes = space.sample(20, np.random.default_rng(0))
    graphs = space.graphs(codes)
    assert graphs.num_types == 3 + len(space.graph_operations) == len(space.coarse_types())
    assert (graphs.operations[:, 0] == 1).all()
    assert (graphs.operations[:, -1] == 2).all()
    assert graphs.operations.max() < graphs.num_types
    assert not np.tril(graphs.adjacency).any()
    present = graphs.operations > 0
    assert not (graphs.adjacency & ~(present[:, :, None] & present[:, None, :])).any()

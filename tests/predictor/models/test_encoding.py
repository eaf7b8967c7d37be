"""Tensors of graphs against a cell drawn by hand."""

import numpy as np
import pytest
import torch

from surrogate_nas.errors import SpaceError
from surrogate_nas.predictor.models.encoding import encode, encode_in_batches, num_node_types
from surrogate_nas.space.space import Space

# Edges 1<-0, 2<-0, 2<-1, 3<-0, 3<-1, 3<-2; here 0 -conv3x3-> 1 -skip-> 3 and a convolution that leads nowhere.
CODE = np.array([[3, 2, 0, 0, 1, 0]], dtype=np.int8)


def test_a_cell_becomes_its_live_operations_and_their_data_flow(space: Space) -> None:
    graph = encode(space, CODE)
    assert graph.operations.tolist() == [[1, 3 + 3, 0, 0, 0, 3 + 1, 0, 2]]
    assert torch.nonzero(graph.adjacency[0]).tolist() == [[0, 1], [1, 5], [5, 7]]
    assert graph.adjacency.dtype == torch.float32


def test_batches_together_are_the_whole(space: Space) -> None:
    codes = space.sample(10, np.random.default_rng(0))
    batches = list(encode_in_batches(space, codes, 4))
    whole = encode(space, codes)
    assert [len(batch) for batch in batches] == [4, 4, 2]
    assert torch.equal(torch.cat([batch.adjacency for batch in batches]), whole.adjacency)
    assert torch.equal(torch.cat([batch.operations for batch in batches]), whole.operations)


def test_graphs_are_taken_by_position(space: Space) -> None:
    whole = encode(space, space.sample(5, np.random.default_rng(0)))
    taken = whole.take(torch.tensor([3, 3]))
    assert torch.equal(taken.operations, whole.operations[[3, 3]])
    assert torch.equal(taken.adjacency, whole.adjacency[[3, 3]])


def test_node_types_are_three_more_than_operations(space: Space) -> None:
    assert num_node_types(space) == 8


def test_codes_of_another_width_are_refused(space: Space) -> None:
    with pytest.raises(SpaceError, match="5"):
        encode(space, np.zeros((2, 5), dtype=np.int8))

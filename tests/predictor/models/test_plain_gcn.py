"""The network reacts to some changes of a graph and must ignore others."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from surrogate_nas.predictor.models.encoding import GraphBatch, encode
from surrogate_nas.predictor.models.plain_gcn import PlainGcn
from surrogate_nas.space.space import Space


@pytest.fixture(scope="module")
def network() -> PlainGcn:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        made = PlainGcn(num_types=8, width=16, layers=3)
        for parameter in made.parameters():  # norms at identity and biases at 0 would hide mistakes
            torch.nn.init.normal_(parameter, std=0.5)
    return made.eval()


@given(seed=st.integers(0, 1000))
def test_the_numbering_of_inner_nodes_does_not_matter(network: PlainGcn, space: Space, seed: int) -> None:
    rng = np.random.default_rng(seed)
    graphs = encode(space, space.sample(4, rng))
    order = torch.from_numpy(np.r_[0, 1 + rng.permutation(6), 7])
    renamed = GraphBatch(graphs.operations[:, order], graphs.adjacency[:, order][:, :, order])
    torch.testing.assert_close(network(renamed), network(graphs), atol=1e-4, rtol=1e-4)


def test_the_direction_of_the_data_flow_does_not_matter(network: PlainGcn) -> None:
    chain = torch.zeros(1, 4, 4)
    chain[0, [0, 1, 2], [1, 2, 3]] = 1
    operations = torch.tensor([[1, 4, 6, 2]])
    forward, backward = GraphBatch(operations, chain), GraphBatch(operations, chain.transpose(1, 2).contiguous())
    torch.testing.assert_close(network(forward), network(backward))


def test_absent_nodes_add_nothing(network: PlainGcn) -> None:
    chain = torch.zeros(1, 3, 3)
    chain[0, [0, 1], [1, 2]] = 1
    padded = torch.zeros(1, 5, 5)
    padded[0, [0, 1], [1, 4]] = 1
    short = network(GraphBatch(torch.tensor([[1, 5, 2]]), chain))
    long = network(GraphBatch(torch.tensor([[1, 5, 0, 0, 2]]), padded))
    torch.testing.assert_close(short, long)


def test_scores_do_not_depend_on_the_rest_of_the_batch(network: PlainGcn, space: Space) -> None:
    graphs = encode(space, space.sample(9, np.random.default_rng(1)))
    alone = torch.cat([network(graphs.take(torch.tensor([row]))) for row in range(9)])
    torch.testing.assert_close(alone, network(graphs), atol=1e-4, rtol=1e-4)


def test_every_weight_takes_part(space: Space) -> None:
    network = PlainGcn(num_types=8, width=8, layers=2)
    network(encode(space, space.sample(64, np.random.default_rng(0)))).sum().backward()
    unused = [name for name, weight in network.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert unused == []

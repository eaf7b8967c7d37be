"""Dense layers give what PyTorch Geometric's layers give on lists of edges; importing them is quiet."""

import subprocess
import sys
import warnings

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from surrogate_nas.predictor.models import convolutions
from surrogate_nas.predictor.models.bidirectional import MakeConvolution
from surrogate_nas.predictor.models.convolutions import (
    DenseGraphConv,
    GatV2Convolution,
    TransformerConvolution,
    heads_of,
)

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message=".*torch.jit")
    from torch_geometric.nn import GATv2Conv, TransformerConv

GRAPHS, NODES = 3, 5


def edges(adjacency: torch.Tensor) -> torch.Tensor:
    """Returns all graphs as one: edges from sender to receiver, shape (2, edges)."""
    graph, hearer, heard = adjacency.nonzero(as_tuple=True)
    return torch.stack([graph * NODES + heard, graph * NODES + hearer])


def copied(dense: nn.Module, sparse: nn.Module) -> None:
    """Gives both layers the same weights, none of them at an initial value that hides mistakes."""
    generator = torch.Generator().manual_seed(0)
    for parameter in dense.parameters():
        nn.init.normal_(parameter, generator=generator)
    shapes = {name: value.shape for name, value in sparse.state_dict().items()}
    sparse.load_state_dict({name: value.reshape(shapes[name]) for name, value in dense.state_dict().items()})


@pytest.mark.quick_cases(2)
@pytest.mark.parametrize("width", [8, 6, 5])
@pytest.mark.parametrize(
    ("kind", "reference"), [(GatV2Convolution, GATv2Conv), (TransformerConvolution, TransformerConv)]
)
@given(seed=st.integers(0, 10_000))
def test_a_dense_layer_equals_the_sparse_one(
    width: int, kind: type[nn.Module], reference: type[nn.Module], seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(GRAPHS, NODES, width, generator=generator)
    # Upper triangles, as in a cell; sparse ones have nodes without inputs.
    adjacency = torch.triu((torch.rand(GRAPHS, NODES, NODES, generator=generator) < 0.4).float(), diagonal=1)
    dense, heads = kind(width), heads_of(width)
    sparse = reference(width, width // heads, heads=heads)
    copied(dense, sparse)
    expected = sparse(features.flatten(0, 1), edges(adjacency)).unflatten(0, (GRAPHS, NODES))
    torch.testing.assert_close(dense(features, adjacency), expected, atol=1e-4, rtol=1e-4)


def test_heads_divide_the_features() -> None:
    assert [heads_of(width) for width in (64, 6, 5)] == [4, 2, 1]


@pytest.mark.slow
def test_importing_them_says_nothing() -> None:
    program = "import surrogate_nas.predictor.models.convolutions"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""


def test_a_convolution_is_a_sum_over_the_rows_of_the_adjacency() -> None:
    layer = DenseGraphConv(3, 2)
    features = torch.randn(1, 4, 3, generator=torch.Generator().manual_seed(0))
    adjacency = torch.tensor([[[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]], dtype=torch.float32)
    first = layer.lin_rel(features[0, 1] + features[0, 2]) + layer.lin_root(features[0, 0])
    torch.testing.assert_close(layer(features, adjacency)[0, 0], first)


@pytest.mark.parametrize("width", [5, 6, 8])
@pytest.mark.parametrize(
    "kind",
    [
        convolutions.sum_convolution,
        convolutions.isomorphism_convolution,
        convolutions.gatv2_convolution,
        convolutions.transformer_convolution,
    ],
)
def test_a_node_hears_its_neighbours_and_itself(kind: MakeConvolution, width: int) -> None:
    convolution = kind(width)
    for parameter in convolution.parameters():
        torch.nn.init.normal_(parameter, generator=torch.Generator().manual_seed(0))
    features = torch.randn(1, 3, width, generator=torch.Generator().manual_seed(1), requires_grad=True)
    adjacency = torch.zeros(1, 3, 3)
    adjacency[0, 0, 1] = 1  # node 0 receives from node 1
    heard = convolution(features, adjacency)
    assert heard.shape == features.shape
    heard[0, 0].sum().backward()
    assert features.grad is not None
    assert features.grad[0, 0].any()
    assert features.grad[0, 1].any()
    assert not features.grad[0, 2].any()

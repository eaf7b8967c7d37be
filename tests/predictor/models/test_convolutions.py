"""Every convolution keeps the shape, hears its neighbours and itself, and nobody else."""

import pytest
import torch

from surrogate_nas.predictor.models import convolutions
from surrogate_nas.predictor.models.bidirectional import MakeConvolution


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
    adjacency[0, 0, 1] = 1  # node 0 hears node 1
    heard = convolution(features, adjacency)
    assert heard.shape == features.shape
    heard[0, 0].sum().backward()
    assert features.grad is not None
    assert features.grad[0, 0].any()
    assert features.grad[0, 1].any()
    assert not features.grad[0, 2].any()

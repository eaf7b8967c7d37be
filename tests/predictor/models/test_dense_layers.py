"""The layers of PyTorch Geometric: quiet, and what their formula says."""

import subprocess
import sys

import torch

from surrogate_nas.predictor.models.dense_layers import DenseGraphConv


def test_importing_them_says_nothing() -> None:
    program = "import surrogate_nas.predictor.models.dense_layers"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""


def test_a_convolution_is_a_sum_over_the_rows_of_the_adjacency() -> None:
    layer = DenseGraphConv(3, 2)
    features = torch.randn(1, 4, 3, generator=torch.Generator().manual_seed(0))
    adjacency = torch.tensor([[[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]], dtype=torch.float32)
    first = layer.lin_rel(features[0, 1] + features[0, 2]) + layer.lin_root(features[0, 0])
    torch.testing.assert_close(layer(features, adjacency)[0, 0], first)

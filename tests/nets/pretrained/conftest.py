"""Networks of torchvision with random weights, statistics among them, and files of these."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision import models

MakeKnown = Callable[..., nn.Module]


def known_network(name: str = "mobilenet_v2", **options: int) -> nn.Module:
    """Returns a network of torchvision in evaluation mode, no tensor of which has its first value."""
    generator = torch.Generator().manual_seed(0)
    network: nn.Module = models.get_model(name, **options)
    with torch.no_grad():
        for part in network.modules():
            if isinstance(part, nn.BatchNorm2d):
                assert part.running_mean is not None
                assert part.running_var is not None
                for tensor in (part.bias, part.running_mean):
                    tensor.copy_(0.3 * torch.randn(tensor.shape, generator=generator))
                for tensor in (part.weight, part.running_var):
                    tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
    return network.eval()


@pytest.fixture(scope="session")
def mobilenet() -> nn.Module:
    """MobileNetV2 of 1000 classes."""
    return known_network()


@pytest.fixture(scope="session")
def mobilenet_file(mobilenet: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A safetensors file of it."""
    path = tmp_path_factory.mktemp("weights") / "mobilenet.safetensors"
    save_file(mobilenet.state_dict(), path)
    return path

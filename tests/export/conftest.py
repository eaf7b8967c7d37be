"""A small trained network with its description."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import nn

from surrogate_nas._support.definitions import find_definition
from surrogate_nas.export.onnx_model import write_onnx
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec


class Model(NamedTuple):
    network: nn.Module
    images: torch.Tensor
    description: dict[str, Any]
    space_toml: str


@pytest.fixture(scope="session")
def model() -> Model:
    """Returns a network of three classes whose batch statistics come from noise."""
    spec = NetworkSpec(4, 1, 8, 1, 3)
    space = load_space("nasbench201")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        images = torch.randn(40, 1, 8, 8)
        network = build_network(space, [3, 1, 4, 2, 3, 1], spec)
        with torch.no_grad():
            network.train()(images)
    description = {
        "format": "surrogate_nas model",
        "schema_version": 1,
        "created_with": "0.1.0",
        "space": {"name": space.name, "fingerprint": space.fingerprint},
        "code": "314231",
        "effective_code": "314231",
        "network": spec.described(),
        "class_names": ["a", "b", "c"],
        "preprocessing": {"size": 8, "channels": 1, "mean": [0.5], "std": [0.25]},
    }
    return Model(network.eval(), images, description, find_definition("spaces", "nasbench201").read_text())


@pytest.fixture(scope="session")
def exported(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the ONNX file of the network; do not change it."""
    path = tmp_path_factory.mktemp("exported") / "model.onnx"
    write_onnx(path, model.network, model.images, model.description)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "model"

"""ONNX models against the networks that they were made of."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from surrogate_nas.errors import MeasurementError
from surrogate_nas.hardware.onnx_graph import INPUT, onnx_bytes, require, write_onnx
from surrogate_nas.hardware.workload import prepare
from surrogate_nas.nets.network import build_network
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Codes, Space


def test_a_missing_package_is_said_with_the_remedy() -> None:
    with pytest.raises(MeasurementError, match=r"pip install 'surrogate_nas\[onnx\]'"):
        require("no_such_package_as_this")


@pytest.mark.parametrize("digits", ["333333", "214031", "010203", "444444", "000100"])
def test_models_compute_what_networks_do(space: Space, digits: str, tmp_path: Path) -> None:
    model_agrees(space, space.parse(digits), NetworkSpec(4, 2, 8, 3, 5), tmp_path)


@pytest.mark.parametrize("name", ["darts", "nasbench1shot1_1"])
def test_models_of_cells_of_node_choices_compute_what_networks_do(name: str, tmp_path: Path) -> None:
    space = load_space(name)
    for code in space.sample(2, np.random.default_rng(0)):
        model_agrees(space, code, NetworkSpec(3, 1, 8, 3, 5), tmp_path)


def model_agrees(space: Space, code: Codes, network: NetworkSpec, folder: Path) -> None:
    """Asserts that the ONNX model of an architecture gives the scores that torch does."""
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    torch.manual_seed(0)
    # Batch-norm statistics of random images, so that a forgotten normalisation shows.
    module, images = prepare(build_network(space, code, network), (3, 8, 8), 2, torch.device("cpu"))
    assert isinstance(module, nn.Module)
    write_onnx(folder / "model.onnx", module, images)
    session = runtime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    with torch.no_grad():
        expected = module(images).numpy()
    np.testing.assert_allclose(session.run(None, {INPUT: images.numpy()})[0], expected, rtol=1e-4, atol=1e-5)


def test_layers_that_are_not_known_are_named() -> None:
    pytest.importorskip("onnx")
    with pytest.raises(MeasurementError, match="a layer Sigmoid; use another backend"):
        onnx_bytes(nn.Sequential(nn.Sigmoid()), torch.zeros(1, 3))

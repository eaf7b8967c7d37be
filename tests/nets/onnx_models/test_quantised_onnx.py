"""8 bits: scales per channel, batch-norms folded, activations in the form that was asked for."""

import importlib
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from surrogate_nas._support.model_format import INPUT
from surrogate_nas._support.onnx_session import open_session
from surrogate_nas.errors import ExportError
from surrogate_nas.hardware.measure.backends import onnx_model
from surrogate_nas.nets.onnx_models import quantised_onnx
from surrogate_nas.nets.onnx_models.quantised_onnx import quantise_onnx

CHANNELS = 7


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, CHANNELS, 3), nn.BatchNorm2d(CHANNELS), nn.ReLU(), nn.Conv2d(CHANNELS, 5, 3)]
    made = nn.Sequential(*layers)
    made(torch.randn(64, 3, 8, 8))
    return made.eval()


@pytest.mark.parametrize(("signed", "kind"), [(False, "uint8"), (True, "int8")])
def test_activations_take_the_form_that_was_asked_for(network: nn.Module, *, signed: bool, kind: str) -> None:
    images = torch.randn(32, 3, 8, 8)
    model = onnx_model(network, images)
    quantised = quantise_onnx(model, [images.numpy()], ExportError, signed=signed)
    constants = {one.name: onnx.numpy_helper.to_array(one) for one in quantised.graph.initializer}
    zeros = [constants[node.input[2]] for node in quantised.graph.node if node.op_type == "QuantizeLinear"]
    assert {zero.dtype.name for zero in zeros} == {kind}
    assert not signed or not np.concatenate([zero.ravel() for zero in zeros]).any()
    assert "BatchNormalization" not in {node.op_type for node in quantised.graph.node}
    weights = [one for one in constants.values() if one.dtype == np.int8 and one.ndim == 4]
    assert {len(one) for one in weights} == {CHANNELS, 5}
    # 7 of the 8 bits beside unsigned activations.
    assert max(int(np.abs(one.astype(int)).max()) for one in weights) == (127 if signed else 64)
    assert (CHANNELS,) in {one.shape for one in constants.values() if one.dtype == np.float32}
    (got,) = open_session(quantised.SerializeToString(), "tests", ExportError, 1).run(None, {INPUT: images.numpy()})
    with torch.no_grad():
        expected = network(images).numpy()
    assert 0 < np.abs(got - expected).max() < 0.1 * np.abs(expected).max()


def test_it_prints_nothing(network: nn.Module, capfd: pytest.CaptureFixture[str]) -> None:
    images = torch.randn(2, 3, 8, 8)
    model = onnx_model(network, images)
    capfd.readouterr()
    quantise_onnx(model, [images.numpy()], ExportError, signed=False)
    assert capfd.readouterr() == ("", "")


def test_every_session_takes_the_processors_of_this_process(
    network: nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = importlib.import_module("onnxruntime")
    calibration = importlib.import_module("onnxruntime.quantization.calibrate")
    images, opened, made = torch.randn(2, 3, 8, 8), list[tuple[int, int]](), runtime.InferenceSession
    model = onnx_model(network, images)

    def recorded(content: object, sess_options: SimpleNamespace, providers: list[str]) -> object:
        opened.append((sess_options.intra_op_num_threads, sess_options.inter_op_num_threads))
        return made(content, sess_options, providers=providers)

    monkeypatch.setattr(runtime, "InferenceSession", recorded)
    monkeypatch.setattr(quantised_onnx, "processor_count", lambda: 2)
    quantise_onnx(model, [images.numpy()], ExportError, signed=False)
    assert len(opened) >= 2  # to fold, and to take ranges
    assert set(opened) == {(2, 1)}
    assert calibration.onnxruntime is runtime

"""Whatever runs a network gives the same scores."""

from dataclasses import replace
from functools import partial
from typing import get_args

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from surrogate_nas.costs.number_formats import Numbers
from surrogate_nas.errors import MeasurementError, SettingsError
from surrogate_nas.hardware.measure.backends import BACKENDS, build_forward, onnx_model, resolve_backend
from surrogate_nas.hardware.measure.bench import Bench
from surrogate_nas.hardware.measure.pieces import prepare
from surrogate_nas.hardware.measure.profile import ProfiledLatency
from surrogate_nas.hardware.settings import Backend, HardwareSettings
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space


@pytest.mark.parametrize("backend", ["eager", "exported", "onnx"])
def test_backends_agree(space: Space, network: NetworkSpec, backend: str) -> None:
    if backend == "onnx":
        pytest.importorskip("onnx")
        pytest.importorskip("onnxruntime")
    module, images = prepare(build_network(space, [3, 1, 2, 4, 0, 3], network), (1, 8, 8), 2, torch.device("cpu"))
    with torch.no_grad():
        result = build_forward(backend, module, images, 1)(images)
        expected = module(images)
    got = result[0] if isinstance(result, list) else result
    np.testing.assert_allclose(np.asarray(got), expected.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_every_network_is_compiled_by_itself(
    space: Space, network: NetworkSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    graphs: list[int] = []

    def counting(graph: torch.fx.GraphModule, _inputs: object) -> torch.fx.GraphModule:
        graphs.append(len(graph.graph.nodes))
        return graph

    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=counting))
    run, images = None, torch.ones(1)
    for size in (4, 8):  # a network of another size is not one with sizes of any value
        for code in ([0, 0, 0, 1, 0, 0], [3, 1, 2, 4, 0, 3], [3, 3, 3, 3, 3, 3], [2, 2, 2, 2, 2, 2], [1] * 6):
            module, images = prepare(
                build_network(space, code, replace(network, image_size=size)), (1, size, size), 1, torch.device("cpu")
            )
            run = build_forward("compiled", module, images, 1)
    assert len(graphs) == 10
    assert run is not None
    with torch.inference_mode():
        run(images)
    assert len(graphs) == 10


def test_functions_run_on_every_backend() -> None:
    def double(x: Tensor) -> Tensor:
        return x + x

    for backend in ("eager", "exported"):
        result = build_forward(backend, double, torch.ones(2), 1)(torch.ones(2))
        assert isinstance(result, Tensor)
        assert result.tolist() == [2, 2]


def test_what_cannot_be_run_is_one_line_with_the_remedy() -> None:
    class Stubborn(nn.Module):
        def forward(self, x: Tensor) -> Tensor:  # noqa: ARG002
            raise RuntimeError("no\nway")

    with pytest.raises(MeasurementError, match=r"the backend exported cannot run this here: no; use"):
        build_forward("exported", Stubborn(), torch.ones(1), 1)


def test_settings_offer_all_of_them() -> None:
    assert set(get_args(Backend)) == {"auto", *BACKENDS}


def test_the_default_is_the_runtime_that_models_are_delivered_for() -> None:
    default = HardwareSettings().backend
    assert resolve_backend(default, torch.device("cpu")) == "onnx"
    # ONNX Runtime is used on the CPU alone.
    assert resolve_backend(default, torch.device("cuda")) == "eager"
    assert resolve_backend("eager", torch.device("cpu")) == "eager"


def test_latencies_of_backends_are_kept_apart(space: Space, network: NetworkSpec, quick: HardwareSettings) -> None:
    exported = quick.model_copy(update={"backend": "exported"})
    assert Bench(space, network, quick).cache.path != Bench(space, network, exported).cache.path
    assert Bench(space, network, exported).describe()["backend"] == "exported"


def test_onnx_runtime_predicts_a_space(space: Space, network: NetworkSpec, quick: HardwareSettings) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    settings = quick.model_copy(update={"backend": "onnx"})
    model = ProfiledLatency(space, network, Bench(space, network, settings), whole_networks=6, seed=0)
    assert (model.evaluate(space.sample(20, np.random.default_rng(0)))["latency_ms"] > 0).all()
    assert len(model.held_out_errors("latency_ms")) >= 2


@pytest.mark.parametrize("numbers", ["int8", "int8 with signed activations"])
def test_a_quantised_network_computes_nearly_the_same(space: Space, network: NetworkSpec, numbers: Numbers) -> None:
    torch.manual_seed(0)  # of 8 bits, some weights lose more than others
    module, images = prepare(build_network(space, [3, 1, 2, 4, 0, 3], network), (1, 8, 8), 8, torch.device("cpu"))
    with torch.no_grad():
        expected = module(images).numpy()
    got = np.asarray(build_forward("onnx", module, images, 1, numbers)(images))
    assert 1e-4 < np.abs(got[0] - expected).max() < 0.2 * np.abs(expected).max()


@pytest.mark.parametrize(("name", "device"), [("eager", "cpu"), ("compiled", "cpu"), ("auto", "cuda"), ("onnx", "mps")])
def test_what_cannot_compute_in_8_bits_is_refused(name: str, device: str) -> None:
    with pytest.raises(SettingsError, match=r"hardware\.precision int8 is measured in ONNX Runtime on the CPU, not in"):
        resolve_backend(name, torch.device(device), "int8")
    assert resolve_backend("auto", torch.device("cpu"), "int8") == "onnx"


def test_a_module_that_nothing_can_export_is_one_line() -> None:
    class Stubborn(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.from_numpy(np.sort(x.numpy()))

    with pytest.raises(
        MeasurementError, match=r"^Stubborn cannot be exported to ONNX: .*; use hardware.backend eager$"
    ):
        onnx_model(Stubborn(), torch.zeros(1, 3, 4, 4))

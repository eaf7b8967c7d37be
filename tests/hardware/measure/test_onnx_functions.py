"""Functions of other libraries' networks compute in ONNX Runtime what they compute in torch."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from surrogate_nas._support.onnx_session import open_session
from surrogate_nas.errors import MeasurementError
from surrogate_nas.hardware.measure import onnx_graph
from surrogate_nas.hardware.measure.onnx_functions import FUNCTIONS
from surrogate_nas.hardware.measure.onnx_graph import onnx_bytes
from surrogate_nas.rivals.rival import Interface
from surrogate_nas.rivals.rival_network import RivalNetwork
from surrogate_nas.rivals.table import RIVALS


@pytest.fixture
def written_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch's own exporter, which takes seconds for each network, is not used."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("torch's own exporter was used")

    monkeypatch.setattr(onnx_graph, "export_onnx", refuse)


def both(network: nn.Module, images: Tensor) -> tuple[np.ndarray, np.ndarray]:
    session = open_session(onnx_bytes(network.eval(), images), "ONNX models", MeasurementError, 1)
    with torch.no_grad():
        return session.run(None, {"images": images.numpy()})[0], network(images).numpy()


@pytest.mark.parametrize(
    "name", [name for name, row in RIVALS.items() if row.is_installed and row.package == "torchvision"]
)
def test_rivals_compute_the_same(name: str, written_here: None) -> None:
    torch.manual_seed(0)
    there, here = both(RivalNetwork(name, 1.0, Interface(3, 32, 10)).build(), torch.randn(1, 3, 32, 32))
    np.testing.assert_allclose(there, here, rtol=1e-4, atol=1e-5 * np.abs(here).max())


class Calls(nn.Module):
    """A call of one function, or of a method where the function's arguments are of no other use."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, 4, S, S) to something."""
        if self.kind == "mean":
            return x.mean([2, 3])
        if self.kind == "mean of rows":
            return x.mean([1])
        if self.kind == "a number":
            return 2.0 * x
        if self.kind == "chunks":
            first, second = x.chunk(2, dim=1)
            return second.transpose(2, 3) + first
        if self.kind == "unequal chunks":
            return x.chunk(3, dim=1)[1]
        x += x
        return torch.flatten(x, 2 if self.kind == "flatten rows" else 1)


@pytest.mark.parametrize("kind", ["mean", "chunks", "flatten"])
def test_functions_are_written(kind: str, written_here: None) -> None:
    images = torch.randn(1, 4, 5, 5)
    there, here = both(Calls(kind), images)
    np.testing.assert_allclose(there, here, rtol=1e-5)


@pytest.mark.parametrize("kind", ["mean of rows", "unequal chunks", "flatten rows", "a number"])
def test_other_uses_are_left_to_the_exporter_of_torch(kind: str) -> None:
    there, here = both(Calls(kind), torch.randn(1, 4, 5, 5))
    np.testing.assert_allclose(there, here, rtol=1e-5)


def test_the_table_has_what_torchvision_calls() -> None:
    assert {"flatten", "chunk", "stochastic_depth"} <= set(FUNCTIONS)

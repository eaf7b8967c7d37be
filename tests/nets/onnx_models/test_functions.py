"""Functions of other libraries' networks compute in ONNX Runtime what they compute in torch."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from surrogate_nas._support.onnx_session import open_session
from surrogate_nas.errors import MeasurementError
from surrogate_nas.nets.onnx_models.functions import FUNCTIONS
from surrogate_nas.nets.onnx_models.onnx_writer import onnx_of
from surrogate_nas.rivals.rival import Interface
from surrogate_nas.rivals.rival_network import RivalNetwork
from surrogate_nas.rivals.table import RIVALS


def both(network: nn.Module, images: Tensor, *, any_batch: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Returns scores in ONNX Runtime and in torch; of twice the images, where the batch is free."""
    model = onnx_of(network.eval(), images, MeasurementError, any_batch=any_batch)
    session = open_session(model.SerializeToString(), "ONNX models", MeasurementError, 1)
    given = torch.cat([images, images.flip(0)]) if any_batch else images
    with torch.no_grad():
        return session.run(None, {"images": given.numpy()})[0], network(given).numpy()


@pytest.mark.quick_cases(4)
@pytest.mark.parametrize(
    "name", [name for name, row in RIVALS.items() if row.is_installed and row.package == "torchvision"]
)
def test_rivals_compute_the_same(name: str, written_here: None) -> None:
    torch.manual_seed(0)
    there, here = both(RivalNetwork(name, 1.0, Interface(3, 32, 10)).build(), torch.randn(1, 3, 32, 32))
    np.testing.assert_allclose(there, here, rtol=1e-4, atol=1e-5 * np.abs(here).max())


@pytest.mark.parametrize("name", ["shufflenet_v2", "mobilenet_v3_large", "squeezenet1_1"])
def test_rivals_take_any_number_of_images(name: str, written_here: None) -> None:
    torch.manual_seed(0)
    network = RivalNetwork(name, 1.0, Interface(3, 32, 10)).build()
    there, here = both(network, torch.randn(2, 3, 32, 32), any_batch=True)
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
        if self.kind == "view":
            return x.view(x.shape[0], 2, 2, 5, 5).transpose(1, 2).contiguous().view(x.shape[0], 4, 5, 5)
        if self.kind == "images and channels":
            return x.transpose(0, 1).contiguous().transpose(0, 1)
        if self.kind == "a number":
            return 2.0 * x
        if self.kind == "chunks":
            first, second = x.chunk(2, dim=1)
            return second.transpose(2, 3) + first
        if self.kind == "unequal chunks":
            return x.chunk(3, dim=1)[1]
        x += x
        return torch.flatten(x, 2 if self.kind == "flatten rows" else 1)


@pytest.mark.parametrize("any_batch", [False, True])
@pytest.mark.parametrize("kind", ["mean", "chunks", "flatten", "view"])
def test_functions_are_written(kind: str, any_batch: bool, written_here: None) -> None:
    there, here = both(Calls(kind), torch.randn(2, 4, 5, 5), any_batch=any_batch)
    np.testing.assert_allclose(there, here, rtol=1e-5, atol=1e-6)


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("kind", ["mean of rows", "unequal chunks", "flatten rows", "a number"])
def test_other_uses_are_left_to_the_exporter_of_torch(kind: str) -> None:
    there, here = both(Calls(kind), torch.randn(1, 4, 5, 5))
    np.testing.assert_allclose(there, here, rtol=1e-5, atol=1e-6)


def test_a_batch_that_changes_its_place_is_left_to_the_exporter_of_torch() -> None:
    there, here = both(Calls("images and channels"), torch.randn(2, 4, 5, 5), any_batch=True)
    np.testing.assert_allclose(there, here, rtol=1e-5, atol=1e-6)


def test_the_table_has_what_torchvision_calls() -> None:
    assert {"flatten", "chunk", "stochastic_depth"} <= set(FUNCTIONS)

"""ONNX models against the networks that they were made of."""

import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from surrogate_nas._support.model_format import INPUT
from surrogate_nas._support.onnx_session import open_session
from surrogate_nas.errors import MeasurementError
from surrogate_nas.hardware.measure.pieces import prepare
from surrogate_nas.nets.blocks import build_block
from surrogate_nas.nets.layers import resizing
from surrogate_nas.nets.onnx_models.onnx_writer import onnx_of
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.operations.spec import Shape
from surrogate_nas.space.space import Codes, Space


def test_a_missing_package_is_said_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MeasurementError, match="pip install onnx"):
        onnx_of(nn.ReLU(), torch.zeros(1, 3, 4, 4), MeasurementError)


@pytest.mark.parametrize("digits", ["333333", "214031", "010203", "444444", "000100"])
def test_models_compute_what_networks_do(digits: str, written_here: None) -> None:
    space = load_space("nasbench201")
    model_agrees(space, space.parse(digits), NetworkSpec(4, 2, 8, 3, 5))


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [
        ("nasbench_macro", 1e-5),
        ("nasbench1shot1_1", 1e-5),
        ("quick_elastic", 1e-5),
        ("mobilenet_v3_small", 5e-3),
        *(
            # Normalisations by the statistics of single pixels enlarge rounding from layer to layer.
            pytest.param(name, tolerance, marks=pytest.mark.slow)
            for name, tolerance in [("darts", 1e-5), ("mobilenet", 5e-3), ("mobilenet_se", 5e-3), ("fbnet", 5e-3)]
        ),
    ],
)
def test_models_of_other_spaces_compute_what_networks_do(name: str, tolerance: float, written_here: None) -> None:
    space = load_space(name)
    for code in space.sample(2, np.random.default_rng(0)):
        model_agrees(space, code, NetworkSpec(4, 1, 8, 3, 5, stages=space.network.stages), tolerance)


@pytest.mark.parametrize(
    "name",
    [
        *("mbconv_k3_e2_g2", "mbconv_k5_e3_se", "skip", "dsconv_k3", "conv_bn_hs_k3", "conv_bn_re_k7"),
        *("basic_k3", "bottleneck_k3_r2", "fused_k3_e2_se_hs"),
    ],
)
@pytest.mark.parametrize("shape", [Shape(4, 4, 8, 8), Shape(4, 6, 8, 4)])
def test_models_of_blocks_compute_what_blocks_do(name: str, shape: Shape, written_here: None) -> None:
    torch.manual_seed(0)
    block, x = prepare(build_block(name, shape), (4, 8, 8), 2, torch.device("cpu"))
    assert isinstance(block, nn.Module)
    for any_batch in (False, True):
        modules_agree(block, 3 * x, any_batch=any_batch)


@pytest.mark.parametrize("side", [5, 8])
def test_models_of_resizing_compute_what_it_does(side: int, written_here: None) -> None:
    for any_batch in (False, True):
        modules_agree(resizing(8, side), torch.randn(2, 3, 8, 8), any_batch=any_batch)


def model_agrees(space: Space, code: Codes, network: NetworkSpec, tolerance: float = 1e-5) -> None:
    """Asserts that the ONNX model of an architecture gives the same scores as torch, for any number of images too."""
    torch.manual_seed(0)
    # Batch-norm statistics of random images, so that a forgotten normalisation shows.
    module, images = prepare(build_network(space, code, network), (3, 8, 8), 2, torch.device("cpu"))
    assert isinstance(module, nn.Module)
    for any_batch in (False, True):
        modules_agree(module, images, tolerance, any_batch=any_batch)


def modules_agree(module: nn.Module, images: torch.Tensor, tolerance: float = 1e-5, *, any_batch: bool = False) -> None:
    model = onnx_of(module.eval(), images, MeasurementError, any_batch=any_batch)
    session = open_session(model.SerializeToString(), "tests", MeasurementError, 1)
    for given in (images, images[:1], torch.cat([images, images])) if any_batch else (images,):
        with torch.no_grad():
            expected = module(given).numpy()
        (got,) = session.run(None, {INPUT: given.numpy()})
        np.testing.assert_allclose(got, expected, rtol=10 * tolerance, atol=tolerance)


class Cropped(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :, :2]


class Branching(nn.Module):
    """A module that cannot be traced symbolically."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x if len(x.shape) == 4 else x + 1


@pytest.mark.quick_cases(2)
@pytest.mark.parametrize(
    "module",
    [
        nn.Softsign(),
        Cropped(),
        Branching(),
        nn.BatchNorm2d(3, affine=False),
        nn.Linear(4, 4, bias=False),
    ],
    ids=lambda module: type(module).__name__,
)
def test_a_module_with_parts_that_are_not_known_goes_through_the_exporter(module: nn.Module) -> None:
    modules_agree(nn.Sequential(nn.Conv2d(3, 3, 1), module).eval(), torch.randn(2, 3, 4, 4))


class Calls(nn.Module):
    """A call of one function with arguments of a user's own."""

    def __init__(self, name: str, call: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.name, self.call = name, call

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.call(x)


@pytest.mark.quick_cases(8)
@pytest.mark.quick_cases(12)
@pytest.mark.parametrize(
    "module",
    [
        nn.Conv2d(8, 4, 3, padding="same"),
        nn.Conv2d(8, 4, 3, padding="valid"),
        nn.Conv2d(8, 4, 3, padding=1, padding_mode="reflect"),
        nn.AvgPool2d(3, 2, ceil_mode=True),
        nn.AvgPool2d(2, divisor_override=3),
        nn.MaxPool2d(3, 1, 1, dilation=2),
        nn.MaxPool2d(3, 2, 1, ceil_mode=True),
        nn.MaxPool2d(1, 3, ceil_mode=True),
        nn.Flatten(2),
        nn.Unflatten(1, (2, 4)),
        nn.Unflatten(2, (1, -1)),
        nn.Flatten(0, 1),
        nn.Linear(10, 4),
        nn.Upsample(scale_factor=2),
        nn.Upsample(scale_factor=1.7, mode="bilinear"),
        nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
        Calls("alpha", lambda x: torch.add(x, x, alpha=2)),
        Calls("concatenated images", lambda x: torch.cat([x, x])),
        Calls("concatenated columns", lambda x: torch.cat([x, x], dim=-1)),
        Calls("reflected", lambda x: functional.pad(x, (1, 1, 1, 1), mode="reflect")),
        Calls("padded by a value", lambda x: functional.pad(x, (1, 1), value=2.0)),
        Calls("other zeros", lambda x: x.new_zeros(1, 2, 3, 4)),
        Calls("flattened to dimension 1", lambda x: x.flatten(end_dim=1)),
        Calls("flattened from dimension 1", lambda x: x.flatten(start_dim=1)),
        Calls("transposed", lambda x: x.transpose(dim1=2, dim0=1)),
        Calls("mean", lambda x: x.mean(dim=[2, 3])),
    ],
    ids=lambda module: getattr(module, "name", str(module)),
)
def test_every_use_of_a_layer_computes_what_torch_does(module: nn.Module) -> None:
    modules_agree(nn.Sequential(nn.ReLU(), module).eval(), torch.randn(1, 8, 10, 10))


class Shaped(nn.Module):
    """Pads, or takes, as much as follows from the shape of its input."""

    def __init__(self, pads: bool) -> None:
        super().__init__()
        self.pads = pads

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2)) if self.pads else x[:, x.shape[1] // 2 :]


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("module", [Shaped(True), Shaped(False)], ids=["padded", "taken"])
def test_what_this_writer_cannot_know_goes_through_the_exporter(module: nn.Module) -> None:
    modules_agree(nn.Sequential(nn.Conv2d(3, 4, 1), module), torch.randn(2, 3, 5, 5))


def test_what_is_overwritten_is_written_here(written_here: None) -> None:
    layers = (nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.ReLU(inplace=True), nn.Dropout(), nn.ReLU6(inplace=True))
    modules_agree(nn.Sequential(*layers), torch.randn(2, 3, 5, 5), any_batch=True)


def test_zeros_before_a_max_pool_count(written_here: None) -> None:
    class Pooled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.before, self.pool = nn.BatchNorm2d(3), nn.MaxPool2d(3, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            pooled: torch.Tensor = self.pool(functional.pad(self.before(x), (1, 1, 1, 1)))
            return pooled

    for any_batch in (False, True):
        modules_agree(Pooled(), torch.randn(2, 3, 6, 6) - 5, any_batch=any_batch)

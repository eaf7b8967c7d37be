"""ONNX models against the networks that they were made of."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from surrogate_nas.errors import MeasurementError
from surrogate_nas.hardware.measure.onnx_graph import INPUT, onnx_bytes, require, write_onnx
from surrogate_nas.hardware.measure.pieces import prepare
from surrogate_nas.nets.blocks import build_block
from surrogate_nas.nets.layers import resizing
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.operations.spec import Shape
from surrogate_nas.space.space import Codes, Space


def test_a_missing_package_is_said_with_the_remedy() -> None:
    with pytest.raises(MeasurementError, match="pip install no_such_package_as_this"):
        require("no_such_package_as_this")


@pytest.mark.parametrize("digits", ["333333", "214031", "010203", "444444", "000100"])
def test_models_compute_what_networks_do(space: Space, digits: str, tmp_path: Path) -> None:
    model_agrees(space, space.parse(digits), NetworkSpec(4, 2, 8, 3, 5), tmp_path)


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [
        ("nasbench_macro", 1e-5),
        ("nasbench1shot1_1", 1e-5),
        ("quick_elastic", 1e-5),
        *(
            # Normalisations by the statistics of single pixels enlarge rounding from layer to layer.
            pytest.param(name, tolerance, marks=pytest.mark.slow)
            for name, tolerance in [("darts", 1e-5), ("mobilenet", 5e-3), ("mobilenet_se", 5e-3), ("fbnet", 5e-3)]
        ),
    ],
)
def test_models_of_other_spaces_compute_what_networks_do(name: str, tolerance: float, tmp_path: Path) -> None:
    space = load_space(name)
    for code in space.sample(2, np.random.default_rng(0)):
        model_agrees(space, code, NetworkSpec(4, 1, 8, 3, 5, stages=space.network.stages), tmp_path, tolerance)


@pytest.mark.parametrize(
    "name",
    [
        *("mbconv_k3_e2_g2", "mbconv_k5_e3_se", "skip", "dsconv_k3", "conv_bn_hs_k3", "conv_bn_re_k7"),
        *("basic_k3", "bottleneck_k3_r2", "fused_k3_e2_se_hs"),
    ],
)
@pytest.mark.parametrize("shape", [Shape(4, 4, 8, 8), Shape(4, 6, 8, 4)])
def test_models_of_blocks_compute_what_blocks_do(name: str, shape: Shape, tmp_path: Path) -> None:
    torch.manual_seed(0)
    block, x = prepare(build_block(name, shape), (4, 8, 8), 2, torch.device("cpu"))
    assert isinstance(block, nn.Module)
    modules_agree(block, 3 * x, tmp_path)


@pytest.mark.parametrize("side", [5, 8])
def test_models_of_resizing_compute_what_it_does(side: int, tmp_path: Path) -> None:
    modules_agree(resizing(8, side), torch.randn(2, 3, 8, 8), tmp_path)


def model_agrees(space: Space, code: Codes, network: NetworkSpec, folder: Path, tolerance: float = 1e-5) -> None:
    """Asserts that the ONNX model of an architecture gives the same scores as torch."""
    torch.manual_seed(0)
    # Batch-norm statistics of random images, so that a forgotten normalisation shows.
    module, images = prepare(build_network(space, code, network), (3, 8, 8), 2, torch.device("cpu"))
    assert isinstance(module, nn.Module)
    modules_agree(module, images, folder, tolerance)


def modules_agree(module: nn.Module, images: torch.Tensor, folder: Path, tolerance: float = 1e-5) -> None:
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    write_onnx(folder / "model.onnx", module, images)
    session = runtime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    with torch.no_grad():
        expected = module(images).numpy()
    np.testing.assert_allclose(
        session.run(None, {INPUT: images.numpy()})[0], expected, rtol=10 * tolerance, atol=tolerance
    )


class Cropped(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :, :2]


class Branching(nn.Module):
    """A module that cannot be traced symbolically."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x if len(x.shape) == 4 else x + 1


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
def test_a_module_with_parts_that_are_not_known_goes_through_the_exporter(module: nn.Module, tmp_path: Path) -> None:
    modules_agree(nn.Sequential(nn.Conv2d(3, 3, 1), module).eval(), torch.randn(2, 3, 4, 4), tmp_path)


class Calls(nn.Module):
    """A call of one function with arguments of a user's own."""

    def __init__(self, name: str, call: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.name, self.call = name, call

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.call(x)


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
        nn.Flatten(0, 1),
        nn.Linear(10, 4),
        nn.Upsample(scale_factor=2),
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
def test_every_use_of_a_layer_computes_what_torch_does(module: nn.Module, tmp_path: Path) -> None:
    modules_agree(nn.Sequential(nn.ReLU(), module).eval(), torch.randn(1, 8, 10, 10), tmp_path)


def test_a_module_that_nothing_can_export_is_one_line() -> None:
    class Stubborn(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.from_numpy(np.sort(x.numpy()))

    with pytest.raises(
        MeasurementError, match=r"^Stubborn cannot be exported to ONNX: .*; use hardware.backend eager$"
    ):
        onnx_bytes(Stubborn(), torch.zeros(1, 3, 4, 4))

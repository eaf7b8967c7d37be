"""ONNX and torch.export compute the same as torch, for every size of the batch."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from surrogate_nas.errors import ExportError
from surrogate_nas.export import onnx_model
from surrogate_nas.export.onnx_model import compare, run_onnx, write_onnx, write_program
from surrogate_nas.nets.onnx_models import onnx_export
from surrogate_nas.nets.onnx_models.onnx_writer import OPSET
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec


def test_onnx_agrees_with_torch_at_any_batch(exported: Path, model: Any) -> None:  # noqa: ANN401
    for batch in (1, 7, 40):
        agreement = compare(model.network, exported, model.images, batch)
        assert agreement.images == agreement.equal_predictions == 40
        assert agreement.largest_difference < 1e-5
    written = onnx.load(str(exported))
    assert [one.version for one in written.opset_import] == [OPSET]
    assert written.ir_version == onnx_export.IR_VERSION
    # No trace of where it was made.
    assert str(Path(__file__).parent.parent.parent).encode() not in exported.read_bytes()
    assert json.loads({one.key: one.value for one in written.metadata_props}["surrogate_nas"]) == model.description


@pytest.mark.parametrize(
    ("name", "cells", "stages"),
    [
        ("quick", 1, 2),  # a chain
        ("nasbench1shot1_1", 1, 1),  # cells of node choices
        *(
            pytest.param(name, 1, load_space(name).network.stages, marks=pytest.mark.slow)
            for name in ("nasbench_macro", "darts", "nasbench1shot1_3", "mobilenet", "mobilenet_se", "fbnet")
        ),
    ],
)
def test_networks_of_other_spaces_can_be_exported(name: str, cells: int, stages: int, tmp_path: Path) -> None:
    space = load_space(name)
    code = space.effective(space.sample(1, np.random.default_rng(1)))[0]
    images = torch.randn(6, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    network = build_network(space, code, NetworkSpec(4, cells, 16, 3, 5, stages=stages))
    with torch.no_grad():
        network.train()(images)  # batch statistics, so that a forgotten normalisation shows
    write_onnx(tmp_path / "model.onnx", network.eval(), images, {})
    agreement = compare(network, tmp_path / "model.onnx", images)
    assert agreement.equal_predictions == 6
    assert agreement.largest_difference < 5e-3  # in deep chains; 1e-6 in the others


def test_a_network_with_an_operation_of_a_user_is_exported_by_torch(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Softsign(), nn.Flatten(), nn.Linear(12, 2)).eval()
    images = torch.randn(5, 3, 2, 2)
    assert write_onnx(tmp_path / "model.onnx", network, images, {}) == onnx_export.OPSET != OPSET
    assert compare(network, tmp_path / "model.onnx", images, 4).largest_difference < 1e-5


class Adding(nn.Module):
    """Adds in place to a tensor that is read again."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        same = x = torch.relu(x)
        same += x
        return same + x


class Overwriting(nn.Module):
    """Reads a tensor again after an operation that overwrote it."""

    def __init__(self, first: nn.Module) -> None:
        super().__init__()
        self.before, self.first, self.overwrites = nn.Conv2d(3, 3, 1), first, nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.before(x)
        overwritten: torch.Tensor = self.overwrites(self.first(x))
        return overwritten + x


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("part", [Adding(), Overwriting(nn.Identity())], ids=["added", "overwritten"])
def test_a_network_that_overwrites_what_it_reads_again_is_exported_by_torch(part: nn.Module, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(part, nn.Flatten(), nn.Linear(12, 2)).eval()
    assert write_onnx(tmp_path / "model.onnx", network, torch.randn(5, 3, 2, 2), {}) == onnx_export.OPSET
    assert compare(network, tmp_path / "model.onnx", torch.randn(5, 3, 2, 2)).largest_difference < 1e-5


def test_a_pad_before_a_max_pool_has_the_scores_of_torch(tmp_path: Path) -> None:
    torch.manual_seed(0)
    pooled = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ZeroPad2d((0, 1, 0, 1)), nn.MaxPool2d(2, 1))
    network = nn.Sequential(pooled, nn.Flatten(), nn.Linear(256, 3)).eval()
    images = torch.randn(9, 3, 8, 8)
    assert write_onnx(tmp_path / "model.onnx", network, images, {}) == OPSET
    assert compare(network, tmp_path / "model.onnx", images).largest_difference < 1e-5


def test_a_model_that_no_exporter_writes_right_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_model, "_computes", lambda *_: False)
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 2)).eval()
    with pytest.raises(ExportError, match="has other scores in ONNX Runtime than in torch, by torch's exporter too"):
        write_onnx(tmp_path / "model.onnx", network, torch.randn(5, 3, 2, 2), {})
    assert not (tmp_path / "model.onnx").exists()


def test_a_network_that_differs_is_noticed(exported: Path, model: Any) -> None:  # noqa: ANN401
    other = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    assert compare(other, exported, model.images).largest_difference > 0.01


def test_a_program_agrees_with_torch(folder: Path, model: Any) -> None:  # noqa: ANN401
    path = folder / "model.pt2"
    write_program(path, model.network, model.images)
    program = torch.export.load(path).module()
    with torch.no_grad():
        for batch in (1, 5):
            torch.testing.assert_close(program(model.images[:batch]), model.network(model.images[:batch]))


def test_what_cannot_be_exported_or_run_is_said(folder: Path, model: Any) -> None:  # noqa: ANN401
    class Odd(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x if float(x.sum()) > 0 else -x

    with pytest.raises(ExportError, match="cannot be exported to ONNX"):
        write_onnx(folder / "m.onnx", Odd(), model.images, {})
    with pytest.raises(ExportError, match=r"cannot be exported by torch\.export"):
        write_program(folder / "m.pt2", Odd(), model.images)
    assert not list(folder.glob("*"))
    folder.mkdir(exist_ok=True)
    (folder / "m.onnx").write_bytes(b"no model")
    with pytest.raises(ExportError, match="cannot be run by ONNX Runtime"):
        run_onnx(folder / "m.onnx", model.images)

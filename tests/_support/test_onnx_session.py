"""Sessions of ONNX Runtime from a file and from its content."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from surrogate_nas._support.model_format import INPUT
from surrogate_nas._support.onnx_session import open_session
from surrogate_nas.errors import PredictionError
from surrogate_nas.hardware.measure.backends import onnx_model
from surrogate_nas.nets.onnx_models.quantised_onnx import quantise_onnx


def test_a_file_and_its_content_are_one_model(tmp_path: Path) -> None:
    images = torch.ones(1, 2, 3, 3)
    content = onnx_model(nn.Sequential(nn.Conv2d(2, 1, 3)), images)
    (tmp_path / "model.onnx").write_bytes(content)
    first, second = (
        open_session(model, "tests", PredictionError, threads).run(None, {INPUT: images.numpy()})[0]
        for model, threads in ((content, 1), (tmp_path / "model.onnx", 2))
    )
    np.testing.assert_allclose(first, second, rtol=1e-6)


def test_sums_of_signed_8_bit_products_do_not_overflow() -> None:
    images = torch.ones(1, 64, 3, 3)
    layer = nn.Conv2d(64, 2, 3, bias=False)
    nn.init.ones_(layer.weight)
    quantised = quantise_onnx(
        onnx_model(nn.Sequential(layer), images), [images.numpy()], PredictionError, signed=True
    ).SerializeToString()
    (got,) = open_session(quantised, "tests", PredictionError, 1).run(None, {INPUT: images.numpy()})
    np.testing.assert_allclose(got.ravel(), [576, 576], rtol=0.01)


def test_a_missing_package_is_the_caller_s_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(PredictionError, match=r"which predictions need; install it with: pip install onnxruntime"):
        open_session(b"", "predictions", PredictionError, 1)

"""Eight bits are smaller and nearly right."""

from pathlib import Path
from typing import Any

import pytest

from surrogate_nas.errors import ExportError
from surrogate_nas.export.onnx_model import compare
from surrogate_nas.export.quantization import write_int8


def test_a_quantised_model_is_close_to_its_original(exported: Path, folder: Path, model: Any) -> None:  # noqa: ANN401
    path = folder / "model.int8.onnx"
    write_int8(path, exported, model.images, model.description)
    agreement = compare(model.network, path, model.images)
    assert 0 < agreement.largest_difference < 0.1
    assert agreement.equal_predictions >= 36
    assert b"surrogate_nas model" in path.read_bytes()


def test_what_cannot_be_quantised_is_said(folder: Path, model: Any) -> None:  # noqa: ANN401
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"no model")
    with pytest.raises(ExportError, match="export it without --int8"):
        write_int8(folder / "q.onnx", folder / "model.onnx", model.images, {})
    assert not (folder / "q.onnx").exists()


def test_no_images_to_calibrate_on_is_said(exported: Path, folder: Path, model: Any) -> None:  # noqa: ANN401
    with pytest.raises(ExportError, match="an 8-bit model needs training images"):
        write_int8(folder / "q.onnx", exported, model.images[:0], {})
    assert not (folder / "q.onnx").exists()

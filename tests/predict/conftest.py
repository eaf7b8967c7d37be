"""A model of two classes that sees whether an image is bright, and images to show it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

DESCRIPTION: dict[str, Any] = {
    "format": "surrogate_nas model",
    "schema_version": 1,
    "created_with": "0.1.0",
    "class_names": ["dark", "bright"],
    "preprocessing": {"size": 8, "channels": 3, "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]},
}


@pytest.fixture
def make_model(tmp_path: Path) -> Callable[..., Path]:
    """Writes a folder with ``model.onnx``, written by hand; fields of its description may be others."""

    def make(**changes: object) -> Path:
        weight = numpy_helper.from_array(np.array([[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]], dtype=np.float32), "weight")
        nodes = [
            helper.make_node("GlobalAveragePool", ["images"], ["mean"]),
            helper.make_node("Flatten", ["mean"], ["flat"]),
            helper.make_node("Gemm", ["flat", "weight"], ["scores"], transB=1),
        ]
        graph = helper.make_graph(
            nodes,
            "g",
            [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, 8, 8])],
            [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", 2])],
            [weight],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
        helper.set_model_props(model, {"surrogate_nas": json.dumps({**DESCRIPTION, **changes})})
        folder = tmp_path / "model"
        folder.mkdir(exist_ok=True)
        onnx.save(model, str(folder / "model.onnx"))
        return folder

    return make


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder of a bright and a dark image of other sizes than the model's, and a text."""
    folder = tmp_path / "images"
    (folder / "inner").mkdir(parents=True)
    Image.new("RGB", (20, 12), (250, 250, 250)).save(folder / "b.png")
    Image.new("L", (9, 30), 10).save(folder / "inner" / "a.jpg")
    (folder / "notes.txt").write_text("no image")
    return folder

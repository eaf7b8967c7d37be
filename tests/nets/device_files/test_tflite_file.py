"""Files for microcontrollers: what their network computes, and that all of it is inside."""

import os
import sys

import numpy as np
import pytest
import torch
from torch import nn

from surrogate_nas.nets.device_files.tflite_file import output_caught, tflite_bytes


def test_output_of_any_language_is_caught_and_given_back(capfd: pytest.CaptureFixture[str]) -> None:
    with output_caught() as caught:
        print("from Python")
        os.write(2, b"from C\n")
        sys.stdout.flush()
        caught.flush()
        caught.seek(0)
        assert {"from Python", "from C"} <= set(caught.read().splitlines())
    print("afterwards")
    assert capfd.readouterr().out == "afterwards\n"


@pytest.mark.slow
def test_scores_are_torchs_and_weights_stand_inside() -> None:
    for package in ("litert_torch", "ai_edge_litert", "ai_edge_quantizer"):
        pytest.importorskip(package)
    from ai_edge_litert.interpreter import Interpreter

    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 64, 3), nn.ReLU(), nn.Conv2d(64, 64, 3), nn.Flatten(), nn.Linear(1024, 5))
    images = torch.randn(20, 3, 8, 8)
    content = tflite_bytes(network.eval(), images)
    model = Interpreter(model_content=content)
    model.allocate_tensors()
    (taken,), (given,) = model.get_input_details(), model.get_output_details()
    assert tuple(taken["shape"]) == (1, 8, 8, 3)
    assert taken["dtype"] == given["dtype"] == np.int8
    scale, zero = taken["quantization"]
    image = images[0].permute(1, 2, 0)[None].numpy()
    model.set_tensor(taken["index"], np.clip(np.rint(image / scale + zero), -128, 127).astype(np.int8))
    model.invoke()
    scale, zero = given["quantization"]
    scores = (model.get_tensor(given["index"]).astype(np.float32) - zero) * scale
    with torch.no_grad():
        assert np.abs(scores - network(images[:1]).numpy()).max() < 0.2
    from ai_edge_litert import schema_py_generated as schema

    read = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    assert all(buffer.offset == 0 for buffer in read.buffers)
    assert len(content) < 64 * 64 * 9 + 64 * 27 + 5 * 1024 + 6000

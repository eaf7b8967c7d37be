"""Writes a network as a ``.tflite`` file with 8-bit numbers, for TensorFlow Lite Micro and what compiles its files.

LiteRT-Torch converts the network, and the AI Edge Quantizer quantises it: weights are signed with a scale per channel,
activations are signed, and so are the file's input (B, S, S, C) and its scores (B, classes).
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from torch import Tensor, nn

_IDENTIFIER = b"TFL3"
_ONE = 1  # number of images of a forward pass; a microcontroller takes them one by one


def tflite_bytes(network: nn.Module, images: Tensor) -> bytes:
    """Returns the content of a file with 8-bit numbers.

    Args:
        network: In evaluation mode, on the CPU; it takes images (B, C, S, S).
        images: Normalised images that ranges of activations are taken from, (N, C, S, S), N at least 1.

    Raises:
        Exception: Whatever the converter raises for a network that it cannot convert.
    """
    from ai_edge_litert.interpreter import Interpreter
    from ai_edge_quantizer import calibrator, quantizer, recipe, recipe_manager
    from ai_edge_quantizer.utils import qsv_utils

    with output_caught(), tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "float.tflite"
        _convert(network, images, file)
        (name, signature), *_ = Interpreter(str(file)).get_signature_list().items()
        (source,) = signature["inputs"]
        quantised, rules = quantizer.Quantizer(str(file)), recipe_manager.RecipeManager()
        for one in (quantised, rules):
            one.load_quantization_recipe(recipe.static_wi8_ai8())
        # Ranges over all images, as for ONNX; the quantizer's own way, a moving mean of ranges, cuts off what is rare.
        ranges = calibrator.Calibrator(file.read_bytes(), num_threads=1, qsv_update_func=qsv_utils.min_max_update)
        ranges.calibrate(
            {name: [{source: image.permute(1, 2, 0)[None].contiguous().numpy()} for image in images]}, rules
        )
        return _self_contained(quantised.quantize(ranges.get_model_qsvs()).quantized_model)


def float_tflite_bytes(network: nn.Module, images: Tensor) -> bytes:
    """Returns the content of a file with 32-bit numbers, for one of the images (N, C, S, S).

    Raises:
        Exception: Whatever the converter raises for a network that it cannot convert.
    """
    with output_caught(), tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "float.tflite"
        _convert(network, images, file)
        return _self_contained(file.read_bytes())


def _convert(network: nn.Module, images: Tensor, file: Path) -> None:
    import litert_torch

    # Cameras and kernels of microcontrollers have the channels last.
    channels_last = litert_torch.to_channel_last_io(network, args=[0]).eval()
    example = images[:_ONE].permute(0, 2, 3, 1).contiguous()
    litert_torch.convert(channels_last, (example,)).export(str(file))


def _self_contained(model: Any) -> bytes:  # noqa: ANN401 - a buffer of the quantizer
    """Returns a model whose weights are inside the FlatBuffer, without the names of its tensors.

    Large weights may stand behind it, where TensorFlow Lite Micro does not look: it then takes weights for activations.
    Names are paths of torch's modules, which take tens of kilobytes of flash and which no runtime reads.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    content = bytes(model)
    read = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    for buffer in read.buffers:
        if buffer.offset > 1:
            buffer.data = np.frombuffer(content, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    for graph in read.subgraphs:
        for number, tensor in enumerate(graph.tensors):
            tensor.name = str(number).encode()
    builder = flatbuffers.Builder(len(content))
    builder.Finish(read.Pack(builder), _IDENTIFIER)
    return bytes(builder.Output())


@contextlib.contextmanager
def output_caught() -> Iterator[IO[str]]:
    """Yields a file that takes what converters and runtimes print; some of it comes from C++, past Python's streams."""
    with contextlib.ExitStack() as stack:
        caught = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace"))
        for stream, number in ((sys.stdout, 1), (sys.stderr, 2)):
            stream.flush()
            kept = os.dup(number)
            stack.callback(os.close, kept)
            stack.callback(os.dup2, kept, number)
            os.dup2(caught.fileno(), number)
        stack.enter_context(contextlib.redirect_stdout(caught))
        stack.enter_context(contextlib.redirect_stderr(caught))
        yield caught

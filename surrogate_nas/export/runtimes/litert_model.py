"""LiteRT, formerly TensorFlow Lite: a model is one ``.tflite`` file, which TensorFlow Lite Micro takes in 8 bits too.

Its input has the channels last, (1, S, S, C). In 8 bits, input and scores are 8-bit numbers with a scale of their own.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from surrogate_nas._support.files import atomic_write
from surrogate_nas.export.runtimes.protocol import Score, Source
from surrogate_nas.nets.device_files.tflite_file import float_tflite_bytes, output_caught, tflite_bytes

_INT8 = np.iinfo(np.int8)


class LiteRt:
    """Writes and runs models of one image; the description stands in ``model.json`` alone, as flash is scarce."""

    def write(self, files: Sequence[Path], source: Source, precision: str) -> None:
        """Writes the model.

        In 8 bits, weights and activations are signed, and weights have a scale per channel.
        """
        (file,) = files
        make = tflite_bytes if precision == "int8" else float_tflite_bytes
        content = make(source.network_of(precision), source.calibration)
        with atomic_write(file) as temporary:
            temporary.write_bytes(content)

    def open(self, file: Path, batch: int, threads: int) -> Score:
        """Returns a function that runs the model, image by image."""
        del batch  # the file has one image
        with output_caught():
            model = Interpreter(str(file), num_threads=threads)
            model.allocate_tensors()
        (taken,), (given,) = model.get_input_details(), model.get_output_details()

        def score(images: NDArray[np.float32]) -> NDArray[np.float32]:
            found = []
            for image in images:
                model.set_tensor(taken["index"], _encoded(image.transpose(1, 2, 0)[None], taken))
                model.invoke()
                found.append(_decoded(model.get_tensor(given["index"]), given))
            return np.concatenate(found)

        return score


def _encoded(values: NDArray[np.float32], details: Mapping[str, Any]) -> NDArray[Any]:
    """Returns numbers as a tensor of the model holds them."""
    if details["dtype"] != np.int8:
        return np.ascontiguousarray(values, dtype=np.float32)
    scale, zero = details["quantization"]
    return np.asarray(np.clip(np.rint(values / scale + zero), _INT8.min, _INT8.max), dtype=np.int8)


def _decoded(values: NDArray[Any], details: Mapping[str, Any]) -> NDArray[np.float32]:
    if details["dtype"] != np.int8:
        return values.astype(np.float32)
    scale, zero = details["quantization"]
    return np.asarray((values.astype(np.float32) - zero) * scale, dtype=np.float32)

"""OpenVINO, Intel's runtime: a model is an ``.xml`` file with a ``.bin`` file of its weights.

Models are made from the ONNX files, whose 8-bit operations OpenVINO runs as such.
"""

import json
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray

from surrogate_nas._support.files import atomic_write
from surrogate_nas._support.model_format import METADATA_KEY
from surrogate_nas.export.runtimes.protocol import Score, Source


class OpenVino:
    """Writes and runs models with a dynamic batch; the description is among the model's runtime information."""

    def write(self, files: Sequence[Path], source: Source, precision: str) -> None:
        """Writes the description of the network and its weights, in 32 bits where they are not in 8."""
        graph, weights = files
        model = openvino.Core().read_model(str(source.onnx[precision]))
        model.set_rt_info(json.dumps(dict(source.description)), METADATA_KEY)
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / "model.xml"
            openvino.save_model(model, str(made), compress_to_fp16=False)
            with ExitStack() as stack:
                # The last one in is the first one that takes its place.
                for target, part in ((graph, made), (weights, made.with_suffix(".bin"))):
                    stack.enter_context(atomic_write(target)).write_bytes(part.read_bytes())
                graph.unlink(missing_ok=True)  # a graph never stands beside weights of another model

    def open(self, file: Path, batch: int, threads: int) -> Score:
        """Returns a function that runs the model in 32 bits, as torch does; 8-bit operations stay what they are."""
        del batch  # dynamic
        options: dict[str, Any] = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
        }
        request = openvino.Core().compile_model(str(file), "CPU", options).create_infer_request()

        def score(images: NDArray[np.float32]) -> NDArray[np.float32]:
            # Half of the time of a small network if the images went to infer() itself.
            request.set_input_tensor(openvino.Tensor(np.ascontiguousarray(images), shared_memory=True))
            request.infer(share_outputs=True)
            return np.array(request.get_output_tensor().data)

        return score

"""Quantises an ONNX model to 8 bits after training, statically, by ONNX Runtime."""

import contextlib
import io
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from surrogate_nas._support.files import atomic_write
from surrogate_nas._support.model_format import INPUT, METADATA_KEY
from surrogate_nas._support.optional import require_package
from surrogate_nas._support.stored.checksums import sealed_onnx
from surrogate_nas._support.words import first_line
from surrogate_nas.errors import ExportError

CALIBRATION_IMAGES = 256
_BATCH = 32


class _Reader:
    """Passes normalised images (N, C, S, S) to the calibration, batch by batch."""

    def __init__(self, images: Tensor) -> None:
        self._batches = iter(torch.split(images, _BATCH))

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """Returns the next batch by the name of the input."""
        batch = next(self._batches, None)
        return None if batch is None else {INPUT: batch.numpy()}


def write_int8(path: Path, source: Path, images: Tensor, description: Mapping[str, Any]) -> None:
    """Writes a model with 8-bit weights and activations.

    Weights are signed, with a scale per channel, and use 7 of the 8 bits; activations are unsigned: on processors
    without 8-bit instructions, sums of full 8-bit products overflow.

    Args:
        path: The ``.onnx`` file to write.
        source: The float model.
        images: Normalised training images that activations are measured on, (N, C, S, S).
        description: Content of ``model.json``.

    Raises:
        ExportError: If onnxruntime is not installed, or the model cannot be quantised.
    """
    onnx = require_package("onnx", "ONNX models", ExportError)
    quantization = require_package("onnxruntime.quantization", "quantised models", ExportError)
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)  # advice to fold constants first, which was done for the float model
    try:
        with atomic_write(path) as temporary, contextlib.redirect_stdout(io.StringIO()):
            quantization.quantize_static(
                str(source),
                str(temporary),
                _Reader(images),
                quant_format=quantization.QuantFormat.QDQ,
                activation_type=quantization.QuantType.QUInt8,
                weight_type=quantization.QuantType.QInt8,
                per_channel=True,
                reduce_range=True,
            )
            model = onnx.load(str(temporary))
            onnx.helper.set_model_props(model, {METADATA_KEY: json.dumps(dict(description))})
            temporary.write_bytes(sealed_onnx(model.SerializeToString()))
    except OSError:
        raise
    except Exception as error:  # the quantiser raises errors of any class
        reason = first_line(error)
        raise ExportError(f"the model cannot be quantised: {reason}; export it without --int8") from error
    finally:
        logging.disable(before)

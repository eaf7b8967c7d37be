"""Writes the 8-bit model of a trained network, quantised after training on images of the training set."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from surrogate_nas._support.files import atomic_write
from surrogate_nas._support.model_format import METADATA_KEY
from surrogate_nas._support.optional import require_package
from surrogate_nas._support.stored.checksums import sealed_onnx
from surrogate_nas._support.words import first_line
from surrogate_nas.errors import ExportError
from surrogate_nas.nets.onnx_models.quantised_onnx import quantise_onnx

_BATCH = 32


def write_int8(
    path: Path, source: Path, images: Tensor, description: Mapping[str, Any], *, signed: bool = False
) -> None:
    """Writes a model with 8-bit weights and activations; see ``quantise_onnx``.

    Args:
        path: The ``.onnx`` file to write.
        source: The float model.
        images: Normalised training images that activations are measured on, (N, C, S, S).
        description: Content of ``model.json``.
        signed: Whether activations are signed and symmetric.

    Raises:
        ExportError: If there are no images, onnxruntime is not installed, or the model cannot be quantised.
    """
    if not len(images):
        raise ExportError("an 8-bit model needs training images, from which the ranges of activations are taken")
    onnx = require_package("onnx", "ONNX models", ExportError)
    try:
        batches = (batch.numpy() for batch in torch.split(images, _BATCH))
        model = quantise_onnx(source.read_bytes(), batches, ExportError, signed=signed)
        onnx.helper.set_model_props(model, {METADATA_KEY: json.dumps(dict(description))})
        with atomic_write(path) as temporary:
            temporary.write_bytes(sealed_onnx(model.SerializeToString()))
    except OSError:
        raise
    except Exception as error:  # the quantiser raises errors of any class
        reason = first_line(error)
        raise ExportError(f"the model cannot be quantised: {reason}; export it without --int8") from error

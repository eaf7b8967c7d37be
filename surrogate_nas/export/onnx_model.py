"""Exports a trained network as an ONNX model with a dynamic batch, and as a program of torch; compares with torch."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from surrogate_nas._support.files import atomic_write
from surrogate_nas._support.model_format import INPUT, METADATA_KEY, OUTPUT
from surrogate_nas._support.onnx_session import open_session
from surrogate_nas._support.optional import require_package
from surrogate_nas._support.processors import processor_count
from surrogate_nas._support.stored.checksums import sealed_onnx
from surrogate_nas._support.words import first_line
from surrogate_nas.errors import ExportError
from surrogate_nas.nets.onnx_models.onnx_export import export_onnx, quiet_exporters
from surrogate_nas.nets.onnx_models.onnx_writer import onnx_of

_EXAMPLES = 2  # a batch of one would become a constant
_SAME = 1e-2  # relative; rounding in deep networks is a hundredth of this, and another operation is far beyond it


@dataclass(frozen=True)
class Agreement:
    """Agreement of a model in another runtime with torch.

    Attributes:
        images: Number of images that were compared.
        largest_difference: Largest difference between two scores.
        equal_predictions: Number of images to which both give the same class.
    """

    images: int
    largest_difference: float
    equal_predictions: int


def write_onnx(path: Path, network: nn.Module, example: Tensor, description: Mapping[str, Any]) -> int:
    """Writes a network as an ONNX file that carries its description, and returns the version of its operators (opset).

    It has the operators with which the network's latency is measured.

    Args:
        path: The ``.onnx`` file.
        network: Network in evaluation mode, on the CPU.
        example: One image or more, (B, C, S, S).
        description: Content of ``model.json``.

    Raises:
        ExportError: If onnx is not installed, or the network cannot be exported.
    """
    onnx = require_package("onnx", "ONNX models", ExportError)
    images = _batch(example)
    try:
        model = onnx_of(network, images, ExportError, any_batch=True)
        # An operation that overwrites its input, such as +=, looks like one that does not when a network is traced.
        if not _computes(model.SerializeToString(), network, images):
            require_package("onnxscript", "ONNX models", ExportError)
            model = export_onnx(network, images, any_batch=True)
            if not _computes(model.SerializeToString(), network, images):
                raise ExportError(
                    "the network has other scores in ONNX Runtime than in torch, by torch's exporter too: an operation"
                    " of your own may overwrite its input, or ONNX Runtime may compute one of them differently"
                )
    except ExportError:
        raise
    except Exception as error:  # exporters raise errors of any class
        raise ExportError(f"the network cannot be exported to ONNX: {first_line(error)}") from error
    onnx.helper.set_model_props(model, {METADATA_KEY: json.dumps(dict(description))})
    onnx.checker.check_model(model)
    with atomic_write(path) as temporary:
        temporary.write_bytes(sealed_onnx(model.SerializeToString()))
    return next(int(one.version) for one in model.opset_import if not one.domain)


@torch.no_grad()
def _computes(model: bytes, network: nn.Module, images: Tensor) -> bool:
    """Returns whether a model computes what a network does."""
    session = open_session(model, "ONNX models", ExportError, processor_count())
    expected = network(images).numpy()
    (got,) = session.run([OUTPUT], {INPUT: images.numpy()})
    return bool(np.allclose(got, expected, rtol=_SAME, atol=_SAME * np.abs(expected).max()))


def write_program(path: Path, network: nn.Module, example: Tensor) -> None:
    """Writes a network as a program of ``torch.export``, with a dynamic batch.

    Raises:
        ExportError: If the network cannot be exported.
    """
    try:
        with quiet_exporters():
            program = torch.export.export(network, (_batch(example),), dynamic_shapes=({0: torch.export.Dim("batch")},))
            with atomic_write(path) as temporary:
                torch.export.save(program, temporary)
    except OSError:
        raise
    except Exception as error:  # as above
        raise ExportError(f"the network cannot be exported by torch.export: {first_line(error)}") from error


def run_onnx(path: Path, images: Tensor, batch_size: int = 100) -> NDArray[np.float32]:
    """Returns ONNX Runtime's scores of normalised images (N, C, S, S), shape (N, classes), on the CPU.

    Raises:
        ExportError: If the model cannot be run.
    """
    try:
        session = open_session(path, "ONNX models", ExportError, processor_count())
        scores = [session.run([OUTPUT], {INPUT: part.numpy()})[0] for part in torch.split(images, batch_size)]
    except ExportError:
        raise
    except Exception as error:  # as above
        raise ExportError(f"{path} cannot be run by ONNX Runtime: {first_line(error)}") from error
    return np.concatenate(scores)


@torch.no_grad()
def compare(network: nn.Module, path: Path, images: Tensor, batch_size: int = 100) -> Agreement:
    """Compares a model with the network that it was made of, on normalised images (N, C, S, S).

    Raises:
        ExportError: If the model cannot be run.
    """
    expected = torch.cat([network(part) for part in torch.split(images, batch_size)]).numpy()
    return agreement_of(run_onnx(path, images, batch_size), expected)


def agreement_of(scores: NDArray[np.float32], expected: NDArray[np.float32]) -> Agreement:
    """Returns the agreement of scores with torch's scores of the same images, both (N, classes)."""
    return Agreement(
        len(scores),
        float(np.abs(scores - expected).max()),
        int((scores.argmax(axis=1) == expected.argmax(axis=1)).sum()),
    )


def _batch(example: Tensor) -> Tensor:
    return example[:1].expand(_EXAMPLES, -1, -1, -1).contiguous()

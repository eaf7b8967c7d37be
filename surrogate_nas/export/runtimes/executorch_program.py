"""ExecuTorch, PyTorch's runtime for phones and other devices: a model is one ``.pte`` file.

The operations that XNNPACK has run there, on the CPU; the others run in ExecuTorch's portable kernels.
"""

import io
import json
import math
from collections.abc import Sequence
from contextlib import redirect_stderr
from pathlib import Path

import numpy as np
import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import XNNPACKQuantizer, get_symmetric_quantization_config
from executorch.exir import to_edge_transform_and_lower
from executorch.extension.pybindings import portable_lib
from numpy.typing import NDArray
from torch import Tensor, nn
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

from surrogate_nas._support.files import atomic_write
from surrogate_nas._support.model_format import METADATA_KEY
from surrogate_nas.export.runtimes.protocol import Score, Source

_CALIBRATION_BATCH = 32


class ExecuTorch:
    """Writes and runs programs of one batch size; the description is a method that returns it as a text."""

    def write(self, files: Sequence[Path], source: Source, precision: str) -> None:
        """Writes the program.

        In 8 bits, weights and activations are signed, and weights have a scale per channel.
        """
        (file,) = files
        with redirect_stderr(io.StringIO()):
            network = source.network_of(precision)
            network = _quantised(network, source.calibration) if precision == "int8" else network
            program = to_edge_transform_and_lower(
                torch.export.export(network, (_repeated(source.calibration, source.batch),)),
                partitioner=[XnnpackPartitioner()],
                constant_methods={METADATA_KEY: json.dumps(dict(source.description))},
            ).to_executorch()
        with atomic_write(file) as temporary:
            temporary.write_bytes(program.buffer)

    def open(self, file: Path, batch: int, threads: int) -> Score:
        """Returns a function that runs the program; the number of threads holds for the whole process."""
        del batch  # the program has it
        with redirect_stderr(io.StringIO()):  # notes on the processor, which no setting turns off
            portable_lib._unsafe_reset_threadpool(threads)
            module = portable_lib._load_for_executorch(str(file))

        def score(images: NDArray[np.float32]) -> NDArray[np.float32]:
            (scores,) = module.forward((torch.from_numpy(images),))
            copied: NDArray[np.float32] = scores.numpy().copy()
            return copied

        return score


def _quantised(network: nn.Module, images: Tensor) -> nn.Module:
    """Returns a network with 8-bit operations, whose activations were measured on normalised images (N, C, S, S)."""
    free = ({0: torch.export.Dim("batch")},)
    program = torch.export.export(network, (_repeated(images, 2),), dynamic_shapes=free)
    quantizer = XNNPACKQuantizer().set_global(get_symmetric_quantization_config(is_per_channel=True))
    prepared = prepare_pt2e(program.module(), quantizer)
    # In parts of about one size: a dynamic batch has at least two images.
    for part in images.tensor_split(math.ceil(len(images) / _CALIBRATION_BATCH)):
        prepared(part)
    quantised: nn.Module = convert_pt2e(prepared)
    return quantised


def _repeated(images: Tensor, count: int) -> Tensor:
    return images[:1].expand(count, -1, -1, -1).contiguous()

"""Quantises an ONNX model to 8 bits, statically, by ONNX Runtime: for deliveries, and for measurements."""

import contextlib
import io
import logging
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surrogate_nas._support.model_format import INPUT
from surrogate_nas._support.optional import require_package
from surrogate_nas._support.processors import processor_count
from surrogate_nas.errors import SurrogateNasError

_WARNING, _FATAL = 2, 4  # levels of the runtime's log; the first is its usual one


class _Reader:
    """Passes batches of images (B, C, S, S) to the calibration."""

    def __init__(self, batches: Iterable[NDArray[np.float32]]) -> None:
        self._batches = iter(batches)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """Returns the next batch by the name of the input."""
        batch = next(self._batches, None)
        return None if batch is None else {INPUT: batch}


def quantise_onnx(
    model: bytes, batches: Iterable[NDArray[np.float32]], error: type[SurrogateNasError], *, signed: bool
) -> Any:  # noqa: ANN401 - onnx has no types
    """Returns a model with 8-bit weights and activations, as an ``onnx.ModelProto`` in the QDQ format.

    Weights are signed, with a scale per channel. Unsigned activations suit x86 processors; weights then use 7 of the 8
    bits, since sums of full 8-bit products overflow on processors without 8-bit instructions. Signed activations are
    symmetric around zero, as microcontrollers and NPUs compute, and weights use all 8 bits.

    Both sessions of the runtime, for folding and for ranges, take one thread per processor that this process may use;
    the runtime's own choice is one per core of the host.

    Args:
        model: The float model; its batch-norms are folded into convolutions first.
        batches: Normalised images, (B, C, S, S) each, that ranges of activations are taken from.
        error: Error to raise where a package is not installed.
        signed: Whether activations are signed.

    Raises:
        SurrogateNasError: The given error, if onnx or onnxruntime is not installed.
        Exception: Whatever the quantiser raises for a model that it cannot quantise.
    """
    onnx = require_package("onnx", "quantised models", error)
    runtime = require_package("onnxruntime", "quantised models", error)
    quantization = require_package("onnxruntime.quantization", "quantised models", error)
    calibration = require_package("onnxruntime.quantization.calibrate", "quantised models", error)
    kind = quantization.QuantType
    with tempfile.TemporaryDirectory() as folder, _quiet(runtime), _few_threads(runtime, calibration):
        file = Path(folder) / "model.int8.onnx"
        quantization.quantize_static(
            onnx.load_from_string(_folded(runtime, model, Path(folder))),
            str(file),
            _Reader(batches),
            quant_format=quantization.QuantFormat.QDQ,
            activation_type=kind.QInt8 if signed else kind.QUInt8,
            weight_type=kind.QInt8,
            per_channel=True,
            reduce_range=not signed,
            extra_options={"ActivationSymmetric": signed, "ForceQuantizeNoInputCheck": True},
        )
        return onnx.load(str(file))


def _folded(runtime: ModuleType, model: bytes, folder: Path) -> bytes:
    """Returns the model with batch-norms folded into convolutions: quantised apart, no runtime fuses them."""
    file = folder / "folded.onnx"
    options = _options(runtime)
    options.log_severity_level = _FATAL
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(file)
    runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return file.read_bytes()


def _options(runtime: ModuleType) -> Any:  # noqa: ANN401 - onnxruntime has no types
    """Returns options of a session that takes the processors of this process and no more."""
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = processor_count(), 1
    return options


class _FewThreads:
    """The runtime as the calibrator sees it, whose sessions take the processors of this process and no more."""

    def __init__(self, runtime: ModuleType) -> None:
        self._runtime = runtime

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - onnxruntime has no types
        return getattr(self._runtime, name)

    def SessionOptions(self) -> Any:  # noqa: ANN401, N802 - the runtime's own name
        """Returns options of a session."""
        return _options(self._runtime)


@contextlib.contextmanager
def _few_threads(runtime: ModuleType, calibration: Any) -> Iterator[None]:  # noqa: ANN401 - a module whose names change
    """Lets the calibrator open its sessions with few threads; it makes their options itself, and takes none."""
    calibration.onnxruntime = _FewThreads(runtime)
    try:
        yield
    finally:
        calibration.onnxruntime = runtime


@contextlib.contextmanager
def _quiet(runtime: ModuleType) -> Iterator[None]:
    """Keeps the quantiser and its sessions from printing, such as the advice to fold constants, which was done."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    runtime.set_default_logger_severity(_FATAL)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(before)
        runtime.set_default_logger_severity(_WARNING)

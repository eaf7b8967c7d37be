"""Opens ONNX models in ONNX Runtime on the CPU."""

from pathlib import Path
from typing import Any

from surrogate_nas._support.optional import require_package
from surrogate_nas.errors import SurrogateNasError

_FATAL = 4  # of the levels of its log: it prints nothing about errors that it raises as well
EXACT_SUMS = "session.x64quantprecision"
"""The runtime's setting without which sums of signed 8-bit products overflow on x86 processors without VNNI."""


def open_session(model: Path | bytes, purpose: str, error: type[SurrogateNasError], threads: int) -> Any:  # noqa: ANN401 - onnxruntime has no types
    """Returns a session of ONNX Runtime, which computes 8-bit models without overflow on every processor.

    Args:
        model: A file or its content.
        purpose: What needs the package, such as ``"predictions"``.
        error: Error to raise where the package is not installed.
        threads: CPU threads of a forward pass. The runtime's own choice is a thread bound to each core of the host,
            which containers with fewer refuse.

    Raises:
        SurrogateNasError: The given error, if onnxruntime is not installed.
        Exception: Whatever the runtime raises for a model that it cannot open.
    """
    runtime = require_package("onnxruntime", purpose, error)
    options = runtime.SessionOptions()
    options.log_severity_level = _FATAL
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.add_session_config_entry(EXACT_SUMS, "1")
    content = model if isinstance(model, bytes) else str(model)
    return runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

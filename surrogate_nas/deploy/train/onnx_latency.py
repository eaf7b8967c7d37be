"""Latency of ONNX files in ONNX Runtime on this machine, several in turns."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from surrogate_nas._support.model_format import INPUT, OUTPUT
from surrogate_nas._support.optional import require_package
from surrogate_nas.errors import MeasurementError
from surrogate_nas.hardware.measure.timing import Clock, Run, choose_clock, measure_interleaved
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.hardware.settings import HardwareSettings


def measure_models(
    models: Mapping[str, Path], shape: Sequence[int], settings: HardwareSettings
) -> dict[str, Measurement]:
    """Latency of models on the CPU, in the batch and on the threads of the study.

    Args:
        models: ONNX files by name.
        shape: Of one image, (C, S, S).
        settings: Batch, threads and timing.

    Raises:
        MeasurementError: If a model cannot be run.
    """
    clock = choose_clock(torch.device("cpu"), settings.threads)
    images = np.random.default_rng(0).standard_normal((settings.batch, *shape)).astype(np.float32)
    runs = [_timer(path, images, settings.threads, clock) for path in models.values()]
    return dict(zip(models, measure_interleaved(runs, settings.timing), strict=True))


def _timer(path: Path, images: np.ndarray, threads: int, clock: Clock) -> Run:
    runtime = require_package("onnxruntime", "ONNX models", MeasurementError)
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    inputs = {INPUT: images}

    def run(count: int) -> float:
        session.run([OUTPUT], inputs)  # brings the weights back into the caches
        start = clock.now()
        for _ in range(count):
            session.run([OUTPUT], inputs)
        return clock.now() - start

    return run

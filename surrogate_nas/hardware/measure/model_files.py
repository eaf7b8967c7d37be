"""Measures the latency of ONNX files in ONNX Runtime on this machine, in turns."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from surrogate_nas._support.onnx_session import open_session
from surrogate_nas._support.words import first_line
from surrogate_nas.errors import MeasurementError
from surrogate_nas.hardware.measure.timing import Clock, Run, choose_clock, measure_interleaved, timed_passes
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.hardware.settings import HardwareSettings


def measure_models(models: Mapping[str, Path], settings: HardwareSettings) -> dict[str, Measurement]:
    """Returns the latency of models on the CPU, in the batch and on the threads of the study.

    Args:
        models: ONNX files by name, each of one input whose first axis is the batch.
        settings: Batch, threads and timing.

    Raises:
        MeasurementError: If a model cannot be run.
    """
    clock = choose_clock(torch.device("cpu"), settings.threads)
    runs = [_timer(path, settings, clock) for path in models.values()]
    return dict(zip(models, measure_interleaved(runs, settings.timing), strict=True))


def _timer(path: Path, settings: HardwareSettings, clock: Clock) -> Run:
    try:
        session = open_session(path, "ONNX models", MeasurementError, settings.threads)
        (taken,) = session.get_inputs()
        images = np.random.default_rng(0).standard_normal((settings.batch, *taken.shape[1:])).astype(np.float32)
        session.run(None, {taken.name: images})
    except MeasurementError:
        raise
    except Exception as error:  # onnxruntime raises classes of its own that have no common parent but this
        reason = first_line(error)
        raise MeasurementError(f"the model {path} cannot be run on images: {reason}") from None

    def run(count: int) -> float:
        return timed_passes(lambda: session.run(None, {taken.name: images}), count, clock, lambda: None)

    return run

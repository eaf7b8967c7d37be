"""Decides by timing whether a training on this CPU is quicker with activations in bfloat16."""

import time
from copy import deepcopy
from typing import Literal

import torch
from torch import Tensor, nn

from surrogate_nas.training.learner import Learner, gpu_has_bfloat16
from surrogate_nas.training.settings import TrainingSettings

Precision = Literal["float32", "bfloat16"]

_STEPS = 4
_LEAST_TRAINING = 50 * _STEPS
"""Steps of a training below which timing would cost more than it could save."""
_CLEARLY = 0.9
"""Time that bfloat16 may take relative to float32, at most, to be chosen."""


def resolved_precision(
    network: nn.Module, settings: TrainingSettings, steps: int, batch: tuple[Tensor, Tensor], device: torch.device
) -> Precision:
    """Returns the precision of activations in a training; ``auto`` is decided by timing a few steps of a copy.

    Args:
        network: It stays as it is.
        settings: The recipe.
        steps: Steps in total; of a training too short for timing, ``auto`` is float32.
        batch: Images and labels of a step.
        device: Device to train on; GPUs are not timed.
    """
    if settings.precision != "auto":
        return settings.precision
    if device.type != "cpu":
        return "bfloat16" if gpu_has_bfloat16(device) else "float32"
    if steps < _LEAST_TRAINING or not _may_be_quicker():
        return "float32"
    half, whole = (_seconds(network, settings, precision, batch) for precision in ("bfloat16", "float32"))
    return "bfloat16" if half < _CLEARLY * whole else "float32"


def _may_be_quicker() -> bool:
    """Returns whether this CPU may gain; without instructions for it only chance, or other work, makes it look so."""
    has_library = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return not has_library or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _seconds(network: nn.Module, settings: TrainingSettings, precision: str, batch: tuple[Tensor, Tensor]) -> float:
    """Returns the shortest time of a training step of a copy, in seconds, after one that does not count."""
    same = settings.model_copy(update={"precision": precision})
    learner = Learner(deepcopy(network), same, _STEPS, torch.device("cpu"), distributed=False)
    times = []
    for step in range(_STEPS):
        began = time.perf_counter()
        learner.step(*batch, step)
        times.append(time.perf_counter() - began)
    return min(times[1:])

"""Where and how wide training runs on this machine."""

import os

import torch

from surrogate_nas.errors import SettingsError
from surrogate_nas.runs.settings import ComputeSettings


def resolve_compute(settings: ComputeSettings) -> ComputeSettings:
    """Replaces ``auto`` and missing numbers by what this machine has.

    Raises:
        SettingsError: If the device is unknown or not here.
    """
    device = settings.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        kind = torch.device(device)
    except RuntimeError:
        raise SettingsError(f"compute.device must be auto, cpu or cuda[:n] (got {device!r})") from None
    if kind.type not in ("cpu", "cuda"):
        raise SettingsError(f"compute.device must be auto, cpu or cuda[:n] (got {device!r})")
    if kind.type == "cuda" and (kind.index or 0) >= torch.cuda.device_count():
        raise SettingsError(
            f"compute.device {device!r} is not on this machine, which has {torch.cuda.device_count()} CUDA devices;"
            " use cpu or auto"
        )
    # Members that train side by side on one GPU only wait for each other.
    processes = settings.processes or (1 if kind.type == "cuda" else len(os.sched_getaffinity(0)))
    return settings.model_copy(update={"device": device, "processes": processes})

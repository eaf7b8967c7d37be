"""Chooses the device and the number of processes that training uses on this machine."""

import torch

from surrogate_nas._support.processors import processor_count
from surrogate_nas.errors import SettingsError
from surrogate_nas.runs.settings import ComputeSettings


def resolve_compute(settings: ComputeSettings) -> ComputeSettings:
    """Replaces ``auto`` and missing numbers by what this machine has.

    ``auto`` is a CUDA device or the CPU. Apple's GPU (``mps``) is used only on request, since no study has
    been measured on one.

    On a cluster the machines of the processes count: ``auto`` is a GPU if processes get any. Their number stays open
    until the cluster has answered.

    Raises:
        SettingsError: If the device is unknown or not here, or a cluster's processes get no GPU for it.
    """
    if settings.cluster:
        return _of_cluster(settings)
    if settings.gpus:
        raise SettingsError("compute.gpus is for processes of a cluster; set compute.cluster too, or leave it out")
    device = settings.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    kind = _known(device)
    if kind.type == "cuda" and (kind.index or 0) >= torch.cuda.device_count():
        raise SettingsError(
            f"compute.device {device!r} is not on this machine, which has {torch.cuda.device_count()} CUDA devices;"
            " use cpu or auto"
        )
    if kind.type == "mps" and not torch.backends.mps.is_available():
        raise SettingsError("compute.device 'mps' is not on this machine, only on Apple's; use cpu or auto")
    # Members that train side by side on one GPU only wait for each other.
    alone = processor_count() if kind.type == "cpu" else 1
    processes = settings.processes or max(alone, settings.processes_per_supernet)
    resolved = settings.model_copy(update={"device": device, "processes": processes})
    if settings.processes_per_supernet > 1:
        _require_shareable(resolved, kind)
    return resolved


def visible_gpus(settings: ComputeSettings) -> int:
    """Returns the number of GPUs that worker processes of this machine take in turn; 0 where they use one or none."""
    if settings.device != "cuda" or settings.cluster or not torch.cuda.is_available():
        return 0
    return torch.cuda.device_count()


def _require_shareable(settings: ComputeSettings, device: torch.device) -> None:
    """Refuses processes that cannot share a supernet on this machine.

    Raises:
        SettingsError: If they are too few, or have no GPU each.
    """
    sharing, processes = settings.processes_per_supernet, settings.processes or 1
    if processes < sharing:
        raise SettingsError(_too_few(processes, sharing))
    if device.type == "mps" or ":" in str(device):
        raise SettingsError(
            f"compute.processes_per_supernet = {sharing} needs compute.device cpu, or cuda for a GPU each (got"
            f" {settings.device!r})"
        )
    if device.type == "cuda" and processes > torch.cuda.device_count():
        raise SettingsError(
            f"processes that share a supernet need a GPU each: there are {processes} processes (compute.processes) and"
            f" {torch.cuda.device_count()} GPUs"
        )


def _of_cluster(settings: ComputeSettings) -> ComputeSettings:
    device = settings.device
    if device == "auto":
        device = "cuda" if settings.gpus else "cpu"
    if (_known(device).type == "cuda") != bool(settings.gpus):
        raise SettingsError(
            f"compute.device is {device}, and compute.gpus gives each process of the cluster {settings.gpus:g} GPUs;"
            " set compute.gpus=1 for cuda, or 0 for cpu"
        )
    sharing, processes = settings.processes_per_supernet, settings.processes
    if sharing > 1 and 0 < settings.gpus < 1:
        raise SettingsError(
            f"processes that share a supernet need a GPU each, and compute.gpus = {settings.gpus:g}: set it to 1, or"
            " compute.processes_per_supernet to 1"
        )
    if processes is not None and processes < sharing:
        raise SettingsError(_too_few(processes, sharing))
    return settings.model_copy(update={"device": device})


def _too_few(processes: int, sharing: int) -> str:
    return (
        f"compute.processes = {processes} are too few for compute.processes_per_supernet = {sharing}: give as many or"
        " more"
    )


def _known(name: str) -> torch.device:
    try:
        kind = torch.device(name)
    except RuntimeError:
        kind = torch.device("meta")
    if kind.type not in ("cpu", "cuda", "mps") or (kind.index is not None and kind.type != "cuda"):
        raise SettingsError(f"compute.device must be auto, cpu, cuda[:n] or mps (got {name!r})")
    return kind

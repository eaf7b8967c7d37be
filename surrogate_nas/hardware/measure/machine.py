"""What this machine is, and which devices it has to run a network on."""

import platform
import re
from pathlib import Path

import torch

from surrogate_nas.errors import SettingsError

_CPU_INFO = Path("/proc/cpuinfo")
_DEVICE = re.compile(r"cpu|cuda(?::(\d+))?", re.ASCII)


def devices() -> list[str]:
    """Names of the devices of this machine, the CPU first."""
    return ["cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]


def resolve_device(name: str) -> torch.device:
    """The device of a setting: ``auto`` is the first GPU, or the CPU where there is none.

    Raises:
        SettingsError: If there is no such device here; the message lists those that there are.
    """
    here = devices()
    if name == "auto":
        return torch.device(here[1] if len(here) > 1 else "cpu")
    match = _DEVICE.fullmatch(name)
    full = name if match is None or name == "cpu" else f"cuda:{int(match[1] or 0)}"
    if full not in here:
        raise SettingsError(
            f"device must be auto or one that this machine has, {', '.join(here)} (got {name!r});"
            " costs of another device come from a latency table"
        )
    return torch.device(full)


def machine_name(device: torch.device) -> str:
    """Model of the processor that the device is."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return _cpu_model()


def _cpu_model() -> str:
    try:
        lines = _CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()

"""Identifies this machine, and the devices on it that can run a network."""

import platform
import re
import subprocess
from itertools import chain
from pathlib import Path

import torch

from surrogate_nas.errors import SettingsError

_CPU_INFO = Path("/proc/cpuinfo")
# Of small boards, of small boards in a container, and of servers.
_BOARDS = tuple(map(Path, ("/proc/device-tree/model", "/sys/devices/soc0/machine", "/sys/class/dmi/id/product_name")))
_BOARD_FIELDS = ("Model", "Hardware")  # of _CPU_INFO, which a container shows where it hides the files
_DEVICE = re.compile(r"cuda(?::(\d+))?", re.ASCII)


def devices() -> list[str]:
    """Returns the names of the devices of this machine, the CPU first."""
    apple = ["mps"] if torch.backends.mps.is_available() else []
    return ["cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count())), *apple]


def resolve_device(name: str) -> torch.device:
    """Returns the device of a setting: ``auto`` is the first CUDA device, or the CPU where there is none.

    Raises:
        SettingsError: If there is no such device here; the message names the devices of this machine.
    """
    here = devices()
    if name == "auto":
        return torch.device("cuda:0" if "cuda:0" in here else "cpu")
    match = _DEVICE.fullmatch(name)
    full = name if match is None else f"cuda:{int(match[1] or 0)}"
    if full not in here:
        raise SettingsError(
            f"device must be auto or one that this machine has, {', '.join(here)} (got {name!r});"
            " costs of another device come from a latency table"
        )
    return torch.device(full)


def machine_name(device: torch.device) -> str:
    """Returns the model name of the processor of a device."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return _cpu_model()  # Apple's GPU is a part of the processor


def _cpu_model() -> str:
    return _from_cpu_info() or _from_sysctl() or _from_board() or platform.processor() or platform.machine()


def _from_cpu_info() -> str:
    """Returns the processor name that Linux reports; empty elsewhere, and for processors without a name there."""
    return next(iter(_cpu_info("model name")), "")


def _from_board() -> str:
    """Returns the board and the kinds of its cores, as Linux has them for ARM and RISC-V; empty elsewhere.

    Latencies are kept by this name, and the architecture alone would give one board the latencies of another.
    """
    kinds = sorted({*zip(_cpu_info("CPU implementer"), _cpu_info("CPU part"), strict=False)})
    cores = [f"{implementer}/{part}" for implementer, part in kinds] or sorted({*_cpu_info("uarch")})
    board = next(filter(None, chain(map(_text_of, _BOARDS), *map(_cpu_info, _BOARD_FIELDS))), "")
    return " ".join([board or platform.machine(), *cores]) if board or cores else ""


def _cpu_info(field: str) -> list[str]:
    """Returns a field of every core."""
    lines = (line.partition(":") for line in _text_of(_CPU_INFO).splitlines())
    return [value.strip() for name, _, value in lines if name.strip() == field]


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0 \n")
    except OSError:
        return ""


def _from_sysctl() -> str:
    """Returns the processor name that macOS reports, such as 'Apple M2'; empty elsewhere."""
    if platform.system() != "Darwin":
        return ""
    command = ["sysctl", "-n", "machdep.cpu.brand_string"]
    try:
        return subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""

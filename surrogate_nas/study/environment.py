"""What a study ran on and with."""

import datetime
import importlib.metadata
import os
import platform
import sys
from typing import Any

from surrogate_nas import __version__

_LIBRARIES = ("torch", "torch-geometric", "torchvision", "optuna", "scikit-learn", "numpy", "scipy", "h5py")


def versions() -> dict[str, str]:
    """Versions of Python, the project and the libraries that results depend on."""
    return {
        "surrogate_nas": __version__,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in _LIBRARIES},
    }


def processor() -> str:
    """Name of the processor."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
        return names[0] if names else platform.machine()
    except OSError:
        return platform.processor() or platform.machine()


def environment(command: str) -> dict[str, Any]:
    """Everything about the machine and the libraries, as JSON takes it."""
    return {
        "schema_version": 1,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": command,
        "platform": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "executable": sys.executable,
        "versions": versions(),
    }

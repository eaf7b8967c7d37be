"""The machine and the libraries of a run."""

import datetime
import importlib.metadata
import platform
import sys
from typing import Any

import torch

from surrogate_nas import __version__
from surrogate_nas._support.processors import processor_count
from surrogate_nas.hardware.measure.machine import machine_name

_LIBRARIES = ("torch", "torch-geometric", "torchvision", "optuna", "scikit-learn", "numpy", "scipy", "h5py")


def versions() -> dict[str, str]:
    """Versions of Python, the project and the libraries that results depend on."""
    return {
        "surrogate_nas": __version__,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in _LIBRARIES},
    }


def processor() -> str:
    """Returns the name of the processor."""
    return machine_name(torch.device("cpu"))


def environment(command: str) -> dict[str, Any]:
    """Returns all facts about the machine and the libraries, as JSON takes it."""
    return {
        "schema_version": 1,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": command,
        "platform": platform.platform(),
        "processor": processor(),
        "cores": processor_count(),
        "executable": sys.executable,
        "versions": versions(),
    }

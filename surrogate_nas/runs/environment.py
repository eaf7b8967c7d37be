"""The machine and the libraries of a run."""

import datetime
import importlib.metadata
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from surrogate_nas import __version__
from surrogate_nas._support.files import read_json
from surrogate_nas._support.processors import processor_count
from surrogate_nas.errors import StoreError
from surrogate_nas.hardware.measure.machine import machine_name

_MOST_EARLIER = 5
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


def environment(command: str, earlier: Sequence[str] = ()) -> dict[str, Any]:
    """Returns all facts about the machine and the libraries, as JSON takes it.

    Args:
        command: The command line.
        earlier: Command lines that began and continued the run before, the first one first.
    """
    return {
        "schema_version": 1,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": command,
        "earlier_commands": list(earlier),
        "platform": platform.platform(),
        "processor": processor(),
        "cores": processor_count(),
        "executable": sys.executable,
        "versions": versions(),
    }


def earlier_commands(path: Path) -> tuple[str, ...]:
    """Returns the command lines by which a run was started and continued, by its ``environment.json``, if it has one.

    Of many that continued it, the last few; one that is the same as the one before stands once.
    """
    try:
        content = read_json(path, "environment of the run", "remove it")
    except StoreError:
        return ()
    kept = content.get("earlier_commands", [])
    found = [*(kept if isinstance(kept, list) else []), content.get("command")]
    words = [one for one in found if isinstance(one, str)]
    different = [one for at, one in enumerate(words) if at == 0 or one != words[at - 1]]
    return (*different[:1], *different[1:][-_MOST_EARLIER:])

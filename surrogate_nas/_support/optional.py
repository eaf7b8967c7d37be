"""Packages that some installations of the program lack."""

import importlib
from types import ModuleType

from surrogate_nas.errors import SurrogateNasError


def require_package(name: str, purpose: str, error: type[SurrogateNasError]) -> ModuleType:
    """Returns a package that a reduced installation may lack.

    Args:
        name: As it is imported.
        purpose: What needs it, such as ``"ONNX models"``.
        error: What is raised without it.

    Raises:
        SurrogateNasError: The given error, with the remedy, if the package is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        raise error(f"{name} is not installed, which {purpose} need; install it with: pip install {name}") from None

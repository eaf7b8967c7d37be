"""Packages that some installations of the program lack."""

import importlib
from types import ModuleType

from surrogate_nas.errors import SurrogateNasError


def require_package(name: str, purpose: str, error: type[SurrogateNasError], extra: str | None = None) -> ModuleType:
    """Returns a package that a reduced installation may lack.

    Args:
        name: As it is imported.
        purpose: What needs it, such as ``"ONNX models"``.
        error: What is raised without it.
        extra: The extra of this project that installs it; None where the project needs it anyway.

    Raises:
        SurrogateNasError: The given error, with the remedy, if the package is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        wanted = name.partition(".")[0] if extra is None else f"'surrogate_nas[{extra}]'"
        raise error(f"{name} is not installed, which {purpose} need; install it with: pip install {wanted}") from None

"""Packages that some installations of the program lack."""

import importlib.util
import sys
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
    require_installed(name, purpose, error, extra)
    try:
        return importlib.import_module(name)
    except ImportError:
        raise error(_missing(name, purpose, extra)) from None


def require_installed(name: str, purpose: str, error: type[SurrogateNasError], extra: str | None = None) -> None:
    """Refuses to go on without a package, as ``require_package`` does, without the time that its import takes.

    Raises:
        SurrogateNasError: The given error, with the remedy, if the package is not installed.
    """
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError):  # of a part of a package that is not there
        found = None
    if found is None and name not in sys.modules:
        raise error(_missing(name, purpose, extra))


def _missing(name: str, purpose: str, extra: str | None) -> str:
    wanted = name.partition(".")[0] if extra is None else f"'surrogate_nas[{extra}]'"
    return f"{name} is not installed, which {purpose} need; install it with: pip install {wanted}"

"""Reads a bench: the folder of models and manifest that is measured on a device.

A bench may come from a stranger. It is data: the device runs the program of this package, and no name in the manifest
reaches a shell or another folder.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from surrogate_nas._support.commands import shown as command
from surrogate_nas._support.files import is_file_name, parse_json
from surrogate_nas._support.words import shown
from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.transfer import remote_runner

MANIFEST = "manifest.json"
MODEL = ".onnx"  # a file of another ending might be code beside the runner, such as numpy.py


def runner() -> Path:
    """Returns the program that measures; the one in a bench is for people who carry files by hand."""
    return Path(str(remote_runner.__file__))


def read_manifest(bench: Path) -> dict[str, Any]:
    """Returns the manifest of a bench: its models by code, the shape of their input, space and sizes.

    Raises:
        SettingsError: If the folder is not a bench, or a name in the manifest is not one of a model.
    """
    try:
        manifest = parse_json((bench / MANIFEST).read_bytes())
        models, shape = manifest["models"], manifest["input_shape"]
        if not models or not all(isinstance(one, str) for one in [*models.values(), manifest["space_fingerprint"]]):
            raise ValueError("no names")
        if not isinstance(shape, list) or not shape or not all(isinstance(one, int) for one in shape):
            raise ValueError("no shape")
        manifest = dict(manifest) | {"network": dict(manifest["network"])}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        raise SettingsError(
            f"{bench} is not a bench; make one in a new folder with:"
            f" {command('hardware', 'export-bench', 'SPACE', 'FOLDER')}"
        ) from None
    for code, name in models.items():
        if not is_file_name(code) or not is_file_name(name) or not name.endswith(MODEL):
            raise SettingsError(
                f"{bench / MANIFEST}: a model has a code of letters, digits, '.', '_' and '-', and a file CODE{MODEL}"
                f" (got {shown(code)}, {shown(name)}); make the bench again with export-bench"
            )
    return manifest


def bench_files(bench: Path) -> list[Path]:
    """Returns the files that a device needs: the manifest of a bench, its models, and the program of this package.

    Raises:
        SettingsError: If the folder is not a bench, or a file is missing.
    """
    names = [MANIFEST, *sorted(read_manifest(bench)["models"].values())]
    return [*held_files(bench, names, "make the bench again with export-bench"), runner()]


def held_files(bench: Path, names: Iterable[str], remedy: str) -> list[Path]:
    """Returns files of a bench by name; a link is refused, as it might name any file of this machine.

    Raises:
        SettingsError: If one is missing or a link.
    """
    files = [bench / name for name in names]
    for path in files:
        if path.is_symlink():
            raise SettingsError(f"{path} is a link; put the file itself in its place")
        if not path.is_file():
            raise SettingsError(f"{bench} lacks {path.name}; {remedy}")
    return files


def results_file(bench: Path, device: str) -> Path:
    """Returns the file of a bench that holds the results of a device."""
    return bench / f"results-{device}.csv"

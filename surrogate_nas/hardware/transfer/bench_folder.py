"""Reads a bench: the folder of models, manifest and runner that is measured on a device."""

from pathlib import Path
from typing import Any

from surrogate_nas._support.files import parse_json
from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.transfer.device_results import RUNNER

MANIFEST = "manifest.json"


def read_manifest(bench: Path) -> dict[str, Any]:
    """Returns the manifest of a bench: its models by code, the shape of their input, space and sizes.

    Raises:
        SettingsError: If the folder is not a bench.
    """
    try:
        manifest = parse_json((bench / MANIFEST).read_bytes())
        models, shape = manifest["models"], manifest["input_shape"]
        if not all(isinstance(one, str) for one in [*models.values(), manifest["space_fingerprint"]]) or not shape:
            raise ValueError("no names")
        return dict(manifest) | {"network": dict(manifest["network"])}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        raise SettingsError(f"{bench} is not a bench; make one with: export-bench SPACE {bench}") from None


def bench_files(bench: Path) -> list[Path]:
    """Returns the files of a bench: its manifest, the runner and the models.

    Raises:
        SettingsError: If the folder is not a bench, or a file is missing.
    """
    names = [MANIFEST, RUNNER, *sorted(read_manifest(bench)["models"].values())]
    missing = [name for name in names if Path(name).name != name or not (bench / name).is_file()]
    if missing:
        raise SettingsError(f"{bench} lacks {missing[0]}; make the bench again with export-bench")
    return [bench / name for name in names]


def results_file(bench: Path, device: str) -> Path:
    """Returns the file of a bench that holds the results of a device."""
    return bench / f"results-{device}.csv"

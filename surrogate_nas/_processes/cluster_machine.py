"""The part of a worker that runs on a machine of a Ray cluster."""

import hashlib
import importlib.metadata
import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from surrogate_nas import __version__
from surrogate_nas._processes.allocator import keep_freed_memory


class RayMachine:
    """Runs on a machine of the cluster; one thread works, and others answer meanwhile."""

    def __init__(self, working_folder: str, places: Sequence[str]) -> None:
        if Path(working_folder).is_dir():
            os.chdir(working_folder)
        sys.path.extend(place for place in places if place and place not in sys.path)
        keep_freed_memory()
        self._now, self._stopped = 0, 0

    def refusal(self, wanted: Mapping[str, str], witness: Path) -> str | None:
        """Returns why this machine cannot work for the one that asks, if it cannot."""
        here, name = versions(), platform.node()
        for package, version in wanted.items():
            if here[package] != version:
                return (
                    f"{package} is {here[package]} on {name}, a machine of the Ray cluster, and {version} here; install"
                    " the same one on all machines"
                )
        if not witness.exists():
            return (
                f"{name}, a machine of the Ray cluster, does not see {witness}; put the folder of the run"
                " (--output-dir) where all machines see it at the same path"
            )
        return None

    def work(
        self, task: Callable[..., Any], job: object, run: int
    ) -> tuple[Any, Exception | None, int]:  # outcome, error, progress
        """Runs a task on a job; returns its result or what it raised, and its progress."""
        self._now = 0
        try:
            return task(job, self._report, lambda: self._stopped >= run), None, self._now
        except Exception as error:  # raised again where the job was sent from
            return None, error, self._now

    def progress(self) -> int:
        """Returns the progress of the job."""
        return self._now

    def stop(self, run: int) -> None:
        """Asks the job of a run to return early."""
        self._stopped = max(self._stopped, run)

    def _report(self, progress: int) -> None:
        self._now = progress


def versions() -> dict[str, str]:
    """Returns the versions that all machines must share; the package counts by its sources too."""
    return {
        "surrogate_nas": f"{__version__} (sources {_hash_of_sources()})",
        "torch": importlib.metadata.version("torch"),
    }


@cache
def _hash_of_sources() -> str:
    root, found = Path(__file__).parents[1], hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        found.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return found.hexdigest()[:8]

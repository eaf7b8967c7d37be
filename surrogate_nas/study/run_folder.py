"""The run folder: names of its files, who may write it, and which stages are done with which inputs."""

import datetime
import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from surrogate_nas.errors import RunFolderError
from surrogate_nas.files import read_json, write_json
from surrogate_nas.study.read_study import flattened, read_resolved, write_study
from surrogate_nas.study.settings import FIXED_ON_RESUME, StudySettings


class RunFolder:
    """Everything that one study writes; held by one process at a time.

    Args:
        path: The folder; made when it is taken.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.study = path / "study.toml"
        self.environment = path / "environment.json"
        self.space = path / "space.toml"
        self.images = path / "images"
        self.supernets = path / "supernets"
        self.labels = path / "labels.h5"
        self.predictor = path / "predictor"
        self.costs = path / "costs.parquet"
        self.journal = path / "search.journal"
        self.best = path / "best"
        self.log = path / "log.txt"
        self._state = path / "state.json"
        self._lock = FileLock(path / ".lock")

    # Taking and giving back

    def check(self, *, resume: bool, overwrite: bool) -> None:
        """Whether the folder may be used, without changing anything.

        Raises:
            RunFolderError: If it is not a folder, holds something else, or holds a run and neither resuming nor
                overwriting was asked for.
        """
        if self.path.exists() and not self.path.is_dir():
            raise RunFolderError(f"the output folder {self.path} is a file; choose another --output-dir")
        if not self.path.is_dir() or not any(self.path.iterdir()):
            return
        if not self._is_run():
            raise RunFolderError(f"{self.path} is not empty and holds no run; choose another --output-dir")
        if not resume and not overwrite:
            raise RunFolderError(
                f"{self.path} already holds a run: go on with it by --resume, replace it by --overwrite, or choose"
                " another --output-dir"
            )

    def take(self) -> None:
        """Makes the folder and holds it until the process ends or ``release`` is called.

        Raises:
            RunFolderError: If another process holds it, or it cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout:
            raise RunFolderError(f"another process is working in {self.path}; wait for it or stop it first") from None
        except OSError as error:
            raise RunFolderError(f"the output folder {self.path} cannot be made: {error.strerror}") from None

    def release(self) -> None:
        """Lets other processes take the folder."""
        self._lock.release()

    def clear(self) -> None:
        """Removes what an earlier run wrote; other files stay."""
        if not self._is_run():
            return
        for entry in self.path.iterdir():
            if entry.name in _CONTENTS:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        # Last, so that a folder half cleared is still known as a run.
        self.study.unlink(missing_ok=True)

    def _is_run(self) -> bool:
        return self.study.exists() or {entry.name for entry in self.path.iterdir()} <= {".lock", "log.txt"}

    # Settings

    def begun_with(self) -> StudySettings | None:
        """The settings that the run in the folder was begun with, if there is one."""
        return read_resolved(self.study, {}) if self.study.exists() else None

    def require_same(self, settings: StudySettings) -> None:
        """Refuses to go on with other settings than a run was begun with, where stages that are done depend on them.

        Raises:
            RunFolderError: Naming the first setting that differs.
        """
        before = self.begun_with()
        if before is None:
            return
        old, new = flattened(before), flattened(settings)
        for key in sorted(old | new):
            # The path may differ as long as the images are the same, which is checked when they are loaded.
            fixed = key.startswith(tuple(f"{name}." for name in FIXED_ON_RESUME)) or key in FIXED_ON_RESUME
            if fixed and key not in _CHECKED_ELSEWHERE and old.get(key) != new.get(key):
                raise RunFolderError(
                    f"{self.path} was begun with {key} = {old.get(key)!r}, not {new.get(key)!r}; use another"
                    " --output-dir, or --overwrite to begin anew"
                )

    def write_settings(self, settings: StudySettings) -> None:
        """Writes the resolved study."""
        write_study(self.study, settings)

    # Stages

    def is_done(self, stage: str, inputs: str) -> bool:
        """Whether a stage is done with these inputs."""
        return bool(self._stages().get(stage, {}).get("inputs") == inputs)

    def mark_done(self, stage: str, inputs: str, seconds: float) -> None:
        """Records that a stage is done; time spent on it in earlier processes is added up by the caller."""
        stages = self._stages()
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        stages[stage] = {"inputs": inputs, "seconds": round(seconds, 3), "finished": now}
        write_json(self._state, {"schema_version": 1, "stages": stages})

    def seconds(self) -> dict[str, float]:
        """Seconds that each finished stage took in the process that finished it."""
        return {name: float(stage["seconds"]) for name, stage in self._stages().items()}

    def _stages(self) -> dict[str, Any]:
        if not self._state.exists():
            return {}
        stages = read_json(self._state, "state of the run").get("stages", {})
        return stages if isinstance(stages, dict) else {}


_CHECKED_ELSEWHERE = frozenset({"data.path", "hardware.remeasure"})
_CONTENTS = frozenset(
    {
        "environment.json",
        "space.toml",
        "images",
        "supernets",
        "labels.h5",
        "labels.h5.lock",
        "predictor",
        "costs.parquet",
        "search.journal",
        "lookup.parquet",
        "lookup.csv",
        "lookup.json",
        "best",
        "report.html",
        "report.json",
        "state.json",
    }
)


def digest(content: Mapping[str, Any]) -> str:
    """A short hash of settings and of what earlier stages made."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]

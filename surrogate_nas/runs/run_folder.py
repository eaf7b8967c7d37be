"""The run folder: names of its files, who may write it, and what it was started with."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from surrogate_nas._support.files import OPEN_FILES_STAY
from surrogate_nas._support.stored.run_contents import LOCK, LOOKUP_FILES, RUN_CONTENTS, STUDY
from surrogate_nas.errors import RunFolderError, SettingsError
from surrogate_nas.runs.settings import StudySettings, is_fixed
from surrogate_nas.runs.state import RunState
from surrogate_nas.runs.storage_record import StorageRecord
from surrogate_nas.runs.study_file import flattened, is_resolved, read_resolved, write_study
from surrogate_nas.space.load import STORED_DEFINITION, STORED_PROGRAM

_WRITTEN = RUN_CONTENTS | {STUDY, LOCK}


class RunFolder:
    """Everything that one study writes; held by one process at a time.

    Call order: ``check`` and ``take``; then ``require_same`` and whatever else reads, to see that the input is sound;
    then ``clear`` or ``remove_leftovers``, and everything that writes; ``release`` at the end.

    Args:
        path: The folder; made when it is taken.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.study = path / STUDY
        self.environment = path / "environment.json"
        self.space = path / STORED_DEFINITION
        self.program = path / STORED_PROGRAM
        self.images = path / "images"
        self.supernets = path / "supernets"
        self.distributions = self.supernets / "gradient"
        self.near_budgets = path / "near_budgets.json"
        self.labels = path / "labels.h5"
        self.predictor = path / "predictor"
        self.costs = path / "costs.parquet"
        self.lookup = tuple(path / name for name in LOOKUP_FILES)
        self.journal = path / "search.journal"
        self.best = path / "best"
        self.answer = self.best / "architecture.json"
        self.answers = path / "answers.json"
        self.artifacts = path / "artifacts"
        self.plots = path / "plots"
        self.trainings = path / "trainings.h5"
        self.trainings_journal = path / "trainings.journal"
        self.networks = path / "trainings"
        self.finalist_latencies = path / "finalist_latencies.json"
        self.rivals = path / "rivals.json"
        self.models = path / "models"
        self.log = path / "log.txt"
        self.storage = StorageRecord(path / "storage.json")
        self.state = RunState(path / "state.json")
        self._lock = FileLock(path / LOCK)

    # Taking and giving back

    def check(self, *, resume: bool, overwrite: bool) -> None:
        """Checks that the folder may be used, without changing anything.

        Raises:
            RunFolderError: If it is not a folder, holds something else, or holds a run and neither resuming nor
                overwriting was requested.
        """
        try:
            if self.path.exists() and not self.path.is_dir():
                raise RunFolderError(f"the output folder {self.path} is a file; choose another --output-dir")
            if not self.path.is_dir() or self._is_empty():
                return
            is_run = self._is_run()
            # Both files, since a clearing takes more than the names that one of them proves.
            lost_study = not self.study.exists() and self.environment.is_file() and (self.path / "state.json").is_file()
        except OSError as error:
            raise RunFolderError(f"the output folder {self.path} cannot be read: {error.strerror or error}") from None
        if lost_study and not overwrite:
            raise RunFolderError(
                f"{self.path} has lost its study.toml: put a copy of it back and use --resume, or start over with"
                " --overwrite"
            )
        if not is_run and not lost_study:
            raise RunFolderError(f"{self.path} is not empty and holds no run; choose another --output-dir")
        if not resume and not overwrite:
            raise RunFolderError(
                f"{self.path} already holds a run: continue it with --resume, replace it with --overwrite, or choose"
                " another --output-dir"
            )

    def take(self) -> None:
        """Makes the folder and holds it until the process ends or ``release`` is called.

        Raises:
            RunFolderError: If another process holds it, a link in it leads elsewhere, or it cannot be made or written
                to.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._refuse_links()
            self._lock.acquire(timeout=0)
        except Timeout:
            raise RunFolderError(f"another process is working in {self.path}; wait for it or stop it first") from None
        except (OSError, NotImplementedError) as error:
            reason = getattr(error, "strerror", None) or error
            raise RunFolderError(
                f"the output folder {self.path} cannot be written to: {reason}; choose another --output-dir"
            ) from None

    def release(self) -> None:
        """Lets other processes take the folder; one in which nothing was written is left empty."""
        # While it is held: a moment later another process may hold the same file, and a third one would make a new one.
        if self._lock.is_locked and not OPEN_FILES_STAY:
            self._remove_lone_lock()
        self._lock.release()
        if OPEN_FILES_STAY:
            self._remove_lone_lock()

    def _remove_lone_lock(self) -> None:
        with suppress(OSError):
            if [entry.name for entry in self.path.iterdir()] == [LOCK]:
                (self.path / LOCK).unlink(missing_ok=True)

    def clear(self) -> None:
        """Removes what an earlier run wrote; other files stay.

        The study stays until it is replaced, so that a folder half cleared is still known as a run.
        """
        for entry in self.path.iterdir():
            if entry.name in RUN_CONTENTS or _is_leftover(entry.name):
                _remove(entry)

    def remove_leftovers(self) -> None:
        """Removes files that killed processes did not complete."""
        ours = [self.images, self.supernets, self.distributions, self.predictor, self.best, self.networks]
        ours += [self.plots, self.artifacts, self.path / "tensorboard", *self.models.glob("*")]
        leftovers = [entry for entry in self.path.iterdir() if _is_leftover(entry.name)]
        inside = (entry for folder in ours if folder.is_dir() for entry in folder.iterdir())
        leftovers += [entry for entry in inside if _LEFTOVER.fullmatch(entry.name)]
        for entry in leftovers:
            entry.unlink(missing_ok=True)

    def _refuse_links(self) -> None:
        """Refuses links where a run writes and removes: what they lead to may be anybody's.

        Raises:
            RunFolderError: Naming the first one.
        """
        ours = [entry for entry in self.path.iterdir() if entry.name in _WRITTEN or _is_leftover(entry.name)]
        # os.walk goes into no link.
        inside = (Path(place, name) for one in ours for place, *names in os.walk(one) for name in chain(*names))
        for link in filter(Path.is_symlink, chain(ours, inside)):
            raise RunFolderError(
                f"{link} is a link, and a run folder is written to only where it lies; put a copy in its place"
            )

    def _is_empty(self) -> bool:
        return all(entry.name == LOCK or _is_leftover(entry.name) for entry in self.path.iterdir())

    def _is_run(self) -> bool:
        """Returns whether the study is a resolved one; a person may keep one of their own next to their images."""
        return self.study.is_file() and (is_resolved(self.study) or self.environment.exists())

    # Settings

    def begun_with(self) -> StudySettings | None:
        """Returns the settings that the run in the folder was started with, if there is one.

        Raises:
            SettingsError: If they are damaged.
        """
        return read_resolved(self.study, {}) if self.study.exists() else None

    def require_same(self, settings: StudySettings) -> None:
        """Refuses other settings than a run was started with, where finished stages depend on them.

        Raises:
            RunFolderError: Naming the first setting that differs.
            SettingsError: If the settings it was started with are damaged.
        """
        try:
            before = self.begun_with()
        except SettingsError as error:
            raise SettingsError(f"{error}; restore the file, or start over with --overwrite") from None
        if before is None:
            return
        old, new = flattened(before), flattened(settings)
        for key in sorted(old | new):
            if not is_fixed(key) or old.get(key) == new.get(key):
                continue
            others = self._stages_apart().get(key.partition(".")[0])
            made = [path for path in others or () if path.exists()]
            if made or others is None:
                names = ", ".join(str(path.relative_to(self.path)) for path in made)
                again = f"remove {names} from it to do this stage again, " if made else ""
                raise RunFolderError(
                    f"{self.path} was started with {key} = {_words(old.get(key))}, not {_words(new.get(key))}; {again}"
                    "use another --output-dir, or --overwrite to start over"
                )

    def _stages_apart(self) -> dict[str, tuple[Path, ...]]:
        """Returns sections of settings that stages with files of their own depend on, and these files."""
        trained = (self.trainings, self.trainings_journal, self.networks)
        # Rivals are trained by the same recipe, and into the same folder.
        rivals = (self.rivals,) if self.networks.exists() else ()
        return {"training": (*trained, *rivals), "gradient": (self.distributions,)}

    def write_settings(self, settings: StudySettings) -> None:
        """Writes the resolved study."""
        write_study(self.study, settings)


# What people call folders and files of their own, which may lie beside a study of their own, or above it.
_EVERYDAY = frozenset(
    {"images", "models", "plots", "artifacts", "best", "predictor", "mlruns", "tensorboard", "log.txt"}
    | {STORED_DEFINITION, STORED_PROGRAM}
)
# What runs and models write and nobody else does, one of them enough to know their folder by.
_MARKS = (RUN_CONTENTS - _EVERYDAY) | {
    "model.json",
    "images/splits.json",
    "predictor/predictor.json",
    "best/architecture.json",
}
# The names that ``files.atomic_write`` gives to what is not complete.
_LEFTOVER = re.compile(r"\.(.+)\.[0-9a-f]{8}(\.[^.]*)?")


def lies_in_run(path: Path) -> bool:
    """Returns whether a file lies in the folder of a run or a model, at any depth, by its name or through a link."""
    folders = {*path.absolute().parents, *path.resolve().parents}
    # Path.exists fails for folders that may not be entered.
    return any(os.path.exists(folder / mark) for folder in folders for mark in _MARKS)


def _is_leftover(name: str) -> bool:
    match = _LEFTOVER.fullmatch(name)
    return match is not None and (match[1] == STUDY or match[1] in RUN_CONTENTS)


def _remove(entry: Path) -> None:
    # A link is removed, and what it leads to stays.
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()


def _words(value: object) -> str:
    return "nothing" if value is None else repr(value)


def digest(content: Mapping[str, Any]) -> str:
    """Returns a short hash of settings and of what earlier stages made."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]

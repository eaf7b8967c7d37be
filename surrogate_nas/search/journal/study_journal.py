"""Writes the Optuna study of a search to a journal file that can be resumed and watched.

A search is deterministic and cheap to repeat, so resuming needs no state of its own: the search runs again, its
proposals are compared with the trials in the journal, and only the missing ones are appended. Where the two disagree,
the journal came from another search and is replaced as a whole; trials of different searches never share a journal.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import optuna
from optuna.samplers import RandomSampler
from optuna.storages import JournalStorage
from optuna.study import StudyDirection

from surrogate_nas._support.files import atomic_write
from surrogate_nas._support.stored.versions import require_version
from surrogate_nas._support.words import first_line, some_of
from surrogate_nas.errors import RunFolderError, StoreError, SurrogateNasError, SurrogateNasWarning
from surrogate_nas.search.journal.journal import BatchJournal, JournalLock, damaged_record, repair
from surrogate_nas.search.journal.quiet_optuna import UNREPLAYABLE, quiet_optuna
from surrogate_nas.search.journal.trials import TrialBatch, agree

SCHEMA = 1
# A record is 1 to 2 KB, of which four fifths follow from the code. Parameters of more trials than this are of no use:
# even a dashboard's plots of importances take minutes for as many.
DESCRIBED_TRIALS = 20_000
Opened = Literal["created", "resumed", "replaced"]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class JournalHeader:
    """Identity of a search in its journal.

    Attributes:
        name: Name of the Optuna study: space and study.
        space: Fingerprint of the space.
        inputs: Hash of everything that determines the trials: predictor, costs, budgets, settings, seed.
        metrics: Names of the objectives: predicted accuracy (maximised), then one or two costs (minimised).
        attributes: More study attributes for the dashboard, such as the budgets in words.
    """

    name: str
    space: str
    inputs: str
    metrics: tuple[str, ...]
    attributes: dict[str, str] = field(default_factory=dict)


@contextmanager
def _replaying(path: Path) -> Iterator[None]:
    """Makes errors of the project of what Optuna raises on damaged records, which it replays without a check."""
    try:
        yield
    except (SurrogateNasError, OSError):
        raise
    except UNREPLAYABLE as error:
        reason = first_line(error, 100)
        raise StoreError(f"the search journal is damaged: {path}: {reason}; move it away") from None


class StudyJournal:
    """Writes the trials of one search to its journal, which is repaired, checked or replaced when it is opened.

    Attributes:
        path: The journal.
        opened: Whether the journal was created, resumed, or replaced because it was made from other inputs.
        notes: Repairs of the journal, for the user.

    Args:
        path: The journal; it and its folder are created if they are missing.
        header: Identity of the search.

    Raises:
        RunFolderError: If the file is not a journal, or holds another study or another space's study.
        StoreError: If the journal cannot be read or written.
    """

    def __init__(self, path: Path, header: JournalHeader) -> None:
        self.path = path
        self.opened: Opened = "created"
        self.notes: list[str] = []
        self._header = header
        self._recorded: list[TrialBatch] = []
        self._size: int | None = None  # of the file, as long as it is known to hold exactly the recorded trials
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = JournalLock(path)
            with self._lock.held():
                self._open()
        except OSError as error:
            raise StoreError(f"the search journal cannot be opened: {path}: {error.strerror or error}") from None

    def record(self, batch: TrialBatch) -> None:
        """Adds these trials after the recorded ones, unless the journal has them; on return they are on disk.

        Raises:
            StoreError: If the journal cannot be written.
        """
        start = sum(map(len, self._recorded))
        self._recorded.append(batch)
        try:
            with self._lock.held(), quiet_optuna(), _replaying(self.path):
                if self._undisturbed():
                    self._append(batch, start)
                    return
                stored = self._study.get_trials(deepcopy=False)[start:]
                if not all(map(agree, stored, batch[: len(stored)].trials())):
                    self._replace("the journal holds the trials of another search")
                    return
                self._append(batch[len(stored) :], start + len(stored))
                if len(stored) > len(batch):  # there are more trials to compare with
                    self._size = None
        except OSError as error:
            raise StoreError(f"the search journal cannot be written: {self.path}: {error.strerror or error}") from None

    def finish(self) -> None:
        """Checks that the journal holds only the recorded trials; call it after the last ``record``."""
        with self._lock.held(), quiet_optuna(), _replaying(self.path):
            if self._undisturbed():
                return
            if len(self._study.get_trials(deepcopy=False)) != sum(map(len, self._recorded)):
                self._replace("the journal held more trials than this search has")

    def _undisturbed(self) -> bool:
        """Returns whether the journal still holds exactly the recorded trials, without reading it again."""
        return self._size is not None and self.path.stat().st_size == self._size

    def _append(self, batch: TrialBatch, start: int) -> None:
        """Writes trials with numbers from ``start`` on."""
        described = max(DESCRIBED_TRIALS - start, 0)
        study = self._study._study_id
        self._backend.append_lines(batch[:described].lines(study) + batch[described:].lines(study, light=True))
        self._size = self.path.stat().st_size

    def _open(self) -> None:
        if not self.path.exists() or (self.path.is_file() and self.path.stat().st_size == 0):
            self._create()
            return
        damaged = damaged_record(self.path)
        if damaged is not None:
            reason = f"record {damaged} of the search journal is damaged, and the trials are written again"
            warnings.warn(f"{reason}: {self.path}", SurrogateNasWarning, stacklevel=2)
            self._replace(reason)
            return
        removed = repair(self.path)
        if removed:
            self._note(f"{removed} bytes of half-written records were removed from {self.path}")
        self._load()
        self.opened = "resumed"
        if self._study.user_attrs.get("inputs") != self._header.inputs:
            self._replace("the journal was made from another predictor, other costs, budgets or settings")

    def _create(self) -> None:
        """Creates a journal with the study and no trials, put in place in one piece."""
        header = self._header
        with atomic_write(self.path) as temporary, quiet_optuna():
            backend = BatchJournal(temporary, self._lock)
            with backend.batch():
                study = optuna.create_study(
                    storage=JournalStorage(backend),
                    study_name=header.name,
                    directions=[StudyDirection.MAXIMIZE] + [StudyDirection.MINIMIZE] * (len(header.metrics) - 1),
                    sampler=RandomSampler(),  # never used; without it Optuna makes a TPE sampler
                )
                study.set_metric_names(list(header.metrics))
                identity = {"schema": SCHEMA, "space": header.space, "inputs": header.inputs}
                for key, value in (identity | header.attributes).items():
                    study.set_user_attr(key, value)
        self._load()
        self._size = self.path.stat().st_size

    def _load(self) -> None:
        self._backend = BatchJournal(self.path, self._lock)
        with quiet_optuna():
            with _replaying(self.path):
                storage = JournalStorage(self._backend)
                names = [str(study.study_name) for study in storage.get_all_studies()]
            if names != [self._header.name]:
                raise RunFolderError(
                    f"the search journal must hold only the study {self._header.name}"
                    f" (got {some_of(names, 80) or 'no study'}): {self.path}"
                )
            self._study = optuna.load_study(study_name=self._header.name, storage=storage, sampler=RandomSampler())
        self._check_identity()

    def _check_identity(self) -> None:
        attributes = self._study.user_attrs
        if "inputs" not in attributes or "space" not in attributes:
            raise RunFolderError(f"the study {self._header.name} was not made by this search: {self.path}")
        require_version(f"the search journal {self.path}", attributes.get("schema"), SCHEMA, "move it away")
        if attributes["space"] != self._header.space:
            raise RunFolderError(
                f"the study {self._header.name} in the journal searches another space: its fingerprint must be"
                f" {self._header.space} (got {attributes['space']}): {self.path}"
            )

    def _replace(self, reason: str) -> None:
        self._note(f"{reason}; it was replaced: {self.path} (restart a dashboard that shows it)")
        self.opened = "replaced"
        self._create()
        start = 0
        for batch in self._recorded:
            self._append(batch, start)
            start += len(batch)

    def _note(self, text: str) -> None:
        _log.warning("%s", text)
        self.notes.append(text)

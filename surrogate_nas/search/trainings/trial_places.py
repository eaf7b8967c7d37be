"""Files and databases through which processes share trainings, and who may write to them when."""

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import optuna
from filelock import FileLock
from optuna.samplers import RandomSampler
from optuna.storages import BaseStorage, JournalStorage
from optuna.study import StudyDirection

from surrogate_nas._support.files import atomic_write
from surrogate_nas._support.words import one_line
from surrogate_nas.errors import StoreError, SurrogateNasError
from surrogate_nas.search.journal.database import Database
from surrogate_nas.search.journal.journal import BatchJournal, JournalLock, damaged_record, repair
from surrogate_nas.search.journal.quiet_optuna import UNREPLAYABLE, quiet_optuna
from surrogate_nas.space.space import Space

ACCURACY = "validation accuracy"
_REMEDY = "remove it and continue with --resume"
_INPUTS, _WRITERS = "inputs", ".database.lock"


class OpenTrials(Protocol):
    """A study of trainings, as one process sees it.

    Attributes:
        storage: Optuna's storage.
        study: Number of the study in it.
    """

    storage: BaseStorage
    study: int

    def used(self) -> AbstractContextManager[None]:
        """Makes errors of the project of what is raised inside the block."""

    def in_one_piece(self) -> AbstractContextManager[None]:
        """Lets no other process see a part of what the block writes; inside ``used``."""


@dataclass(frozen=True)
class TrialFolder:
    """Files through which processes share trainings, and the database that takes the place of the journal.

    Attributes:
        journal: The journal.
        guards: Folder of the locks of running trials.
        space: The search space.
        study: Name of the Optuna study.
        inputs: Hash of everything that determines outcomes in addition to code and length.
        database: The database, if one takes the place of the journal.
    """

    journal: Path
    guards: Path
    space: Space
    study: str
    inputs: str
    database: Database | None = None

    def prepare(self) -> list[str]:
        """Creates the study, or replaces one with other inputs; repairs the files that a killed process left.

        Returns:
            Messages for the user.

        Raises:
            RunFolderError: If the journal's path holds something else.
            SettingsError: If the database cannot be used, or the study of that name is another run's.
            StoreError: If the journal cannot be read or written, or the database fails.
        """
        return self._prepare_journal() if self.database is None else self._prepare_database(self.database)

    def opened(self) -> OpenTrials:
        """Opens the study in this process.

        Raises:
            StoreError: If it cannot be read.
        """
        return _InJournal(self) if self.database is None else _InDatabase(self, self.database)

    def _prepare_database(self, database: Database) -> list[str]:
        with database.answering():
            study = database.own(self.study)
            if study is not None and study.user_attrs.get(_INPUTS) == self.inputs:
                return []
            if study is not None:
                database.delete(self.study)
            database.create(self.study, [StudyDirection.MAXIMIZE], {_INPUTS: self.inputs}).set_metric_names([ACCURACY])
        if study is None or _INPUTS not in study.user_attrs:
            return []
        return [f"the study {self.study} in {database.shown} was made with other inputs and was replaced"]

    def _prepare_journal(self) -> list[str]:
        notes = []
        with _said(self.journal):
            lock = JournalLock(self.journal)
            with lock.held():
                damaged = damaged_record(self.journal) if self.journal.exists() else None
                if damaged is not None:
                    raise StoreError(
                        f"the journal of the trainings is damaged: {self.journal}: record {damaged}; {_REMEDY}"
                    )
                if self.journal.exists() and (torn := repair(self.journal)):
                    notes.append(f"{torn} bytes of half-written records were removed from {self.journal}")
                if not self._is_ours(lock):
                    if self.journal.exists() and self.journal.stat().st_size:
                        notes.append(f"{self.journal} was made with other inputs and was replaced")
                    self._create(lock)
        return notes

    def _is_ours(self, lock: JournalLock) -> bool:
        if not self.journal.exists():
            return False
        with quiet_optuna(), contextlib.suppress(*UNREPLAYABLE):
            storage = JournalStorage(BatchJournal(self.journal, lock))
            studies = storage.get_all_studies()
            return [one.user_attrs.get(_INPUTS) for one in studies if one.study_name == self.study] == [self.inputs]
        return False

    def _create(self, lock: JournalLock) -> None:
        with atomic_write(self.journal) as temporary, quiet_optuna():
            storage = JournalStorage(BatchJournal(temporary, lock))
            study = optuna.create_study(
                storage=storage, study_name=self.study, direction="maximize", sampler=RandomSampler()
            )
            study.set_metric_names([ACCURACY])
            study.set_user_attr(_INPUTS, self.inputs)


class _InJournal:
    """The study in the journal of the run folder; its file is the same as long as the process works."""

    def __init__(self, place: TrialFolder) -> None:
        self._journal = place.journal
        with _said(place.journal):
            lock = JournalLock(place.journal)
            self._file = place.journal.stat().st_ino
            with quiet_optuna():
                self._backend = BatchJournal(place.journal, lock)
                self.storage: BaseStorage = JournalStorage(self._backend)
                self.study = self.storage.get_study_id_from_name(place.study)

    @contextmanager
    def used(self) -> Iterator[None]:
        """Converts errors of the storage to the project's; a replaced journal is an error, too."""
        with _said(self._journal), quiet_optuna():
            if self._journal.stat().st_ino != self._file:
                raise OSError(None, "another file is in its place")
            yield

    def in_one_piece(self) -> AbstractContextManager[None]:
        """Writes the records of the block at its end, in one batch."""
        return self._backend.batch()


class _InDatabase:
    """The study in a database. One process at a time looks and writes; the kernel drops the lock of a dead one.

    A transaction of Optuna is one change of one trial, and another process may look between two of them.
    """

    def __init__(self, place: TrialFolder, database: Database) -> None:
        self._database, self._lock = database, FileLock(place.guards / _WRITERS)
        with database.answering():
            self.storage: BaseStorage = database.storage
            self.study = self.storage.get_study_id_from_name(place.study)

    @contextmanager
    def used(self) -> Iterator[None]:
        """Excludes other processes, and converts errors of the database to the project's."""
        try:
            with self._lock, self._database.answering():
                yield
        except SurrogateNasError:
            raise
        except OSError as error:
            raise StoreError(
                f"the lock of the trainings cannot be taken: {self._lock.lock_file}: {error.strerror or error};"
                " finished trainings are kept, continue with --resume"
            ) from None

    def in_one_piece(self) -> AbstractContextManager[None]:
        """Does nothing: ``used`` excludes other processes already."""
        return contextlib.nullcontext()


@contextmanager
def _said(journal: Path) -> Iterator[None]:
    try:
        yield
    except SurrogateNasError:
        raise
    except OSError as error:
        raise StoreError(
            f"the journal of the trainings disappeared or cannot be written: {journal}: {error.strerror or error};"
            " finished trainings are kept, continue with --resume"
        ) from None
    except UNREPLAYABLE as error:
        reason = one_line(error, 100)
        raise StoreError(f"the journal of the trainings is damaged: {journal}: {reason}; {_REMEDY}") from None

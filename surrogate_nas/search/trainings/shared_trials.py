"""Keeps trainings as trials of an Optuna study in a journal that several processes share; none is trained twice.

A trial is one training: an architecture and a length. It is WAITING until a process claims it, RUNNING while that
process trains, and COMPLETE with its accuracy. Each running trial has a lock that the kernel drops when its holder
dies; a RUNNING trial whose lock is free has no holder, is marked as failed, and waits again as another trial.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import optuna
from filelock import FileLock, Timeout
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.exceptions import UpdateFinishedTrialError
from optuna.samplers import RandomSampler
from optuna.storages import JournalStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from surrogate_nas._support.files import atomic_write
from surrogate_nas._support.words import one_line
from surrogate_nas.errors import StoreError, SurrogateNasError
from surrogate_nas.search.journal.journal import BatchJournal, JournalLock, damaged_record, repair
from surrogate_nas.search.journal.quiet_optuna import UNREPLAYABLE, quiet_optuna
from surrogate_nas.space.space import Space

ACCURACY = "validation accuracy"
MOST_ATTEMPTS = 3
_REMEDY = "remove it and continue with --resume"
_CODE, _EPOCHS, _ATTEMPT, _ERROR, _INPUTS = "code", "epochs", "attempt", "error", "inputs"


@dataclass(frozen=True)
class TrainTask:
    """One training.

    Attributes:
        code: The architecture, as digits.
        epochs: Its length.
    """

    code: str
    epochs: int


@dataclass(frozen=True)
class Trained:
    """Outcome of a training: accuracy in percent, mean cross-entropy, optimizer steps."""

    accuracy_percent: float
    loss: float
    steps: int


@dataclass(frozen=True)
class Claim:
    """Task that this process has taken, and holds until it is done or given back."""

    task: TrainTask
    trial: int
    attempt: int
    guard: FileLock


@dataclass(frozen=True)
class TrialFolder:
    """Files through which processes share trainings.

    Attributes:
        journal: The journal.
        guards: Folder of the locks of running trials.
        space: The search space.
        study: Name of the Optuna study.
        inputs: Hash of everything that determines outcomes in addition to code and length.
    """

    journal: Path
    guards: Path
    space: Space
    study: str
    inputs: str

    def prepare(self) -> list[str]:
        """Creates the study, or replaces one with other inputs; repairs the files that a killed process left.

        Returns:
            Messages for the user.

        Raises:
            RunFolderError: If the journal's path holds something else.
            StoreError: If it cannot be read or written.
        """
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


class SharedTrials:
    """Tasks of one place, as one process sees them.

    Args:
        place: A prepared place.

    Raises:
        StoreError: If the journal cannot be read. All methods raise it, too, also if it disappeared or is not writable.
    """

    def __init__(self, place: TrialFolder) -> None:
        self._place = place
        with _said(place.journal):
            self._lock = JournalLock(place.journal)
            self._file = place.journal.stat().st_ino
            with quiet_optuna():
                self._backend = BatchJournal(place.journal, self._lock)
                self._storage = JournalStorage(self._backend)
                self._study = self._storage.get_study_id_from_name(place.study)

    def ask(self, tasks: Sequence[TrainTask]) -> None:
        """Queues tasks that are neither done nor queued, and removes queued ones that are no longer needed.

        Call it while no other process works: a running trial is then a dead process's.
        """
        with self._writing():
            for trial in self._trials(TrialState.RUNNING):
                self._take_over(trial, attempt=0)
            for trial in self._trials(TrialState.WAITING):
                if _task(trial) not in tasks:
                    self._storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
            known = {_task(trial) for trial in self._trials(TrialState.WAITING, TrialState.COMPLETE)}
            with self._backend.batch():
                for task in tasks:
                    if task not in known:
                        self._put_in_line(task, attempt=1)

    def claim(self) -> Claim | None:
        """Takes a task whose process died, or the next queued one; returns None where there is none."""
        with self._writing():
            for trial in self._trials(TrialState.RUNNING):
                self._take_over(trial, trial.user_attrs[_ATTEMPT])
            for trial in self._trials(TrialState.WAITING):
                # The lock comes first, so that no trial runs without one.
                guard = self._guard(trial)
                with contextlib.suppress(Timeout, UpdateFinishedTrialError):
                    guard.acquire(timeout=0)
                    if self._storage.set_trial_state_values(trial._trial_id, TrialState.RUNNING):
                        return Claim(_task(trial), trial._trial_id, trial.user_attrs[_ATTEMPT], guard)
                guard.release()
        return None

    def finish(self, claim: Claim, outcome: Trained) -> None:
        """Stores the outcome of a claimed task; on return it is on the disk."""
        self._end(claim, TrialState.COMPLETE, {"loss": outcome.loss, "steps": outcome.steps}, outcome.accuracy_percent)

    def fail(self, claim: Claim, reason: str) -> None:
        """Stores why a claimed task has no outcome."""
        self._end(claim, TrialState.FAIL, {_ERROR: reason})

    def give_back(self, claim: Claim) -> None:
        """Puts a claimed task back into the queue."""
        with self._writing(), self._backend.batch():
            self._storage.set_trial_state_values(claim.trial, TrialState.FAIL)
            self._put_in_line(claim.task, claim.attempt)
        self._let_go(claim.guard)

    def outcomes(self) -> dict[TrainTask, Trained]:
        """Returns the outcomes of all tasks that are done."""
        with self._writing():
            return {_task(trial): _trained(trial) for trial in self._trials(TrialState.COMPLETE)}

    def failure(self, tasks: Sequence[TrainTask]) -> str | None:
        """Returns why one of the tasks will have no outcome, if so; ``ask`` gives it another chance."""
        with self._writing():
            for task in tasks:
                own = [trial for trial in self._trials(*TrialState) if _task(trial) == task]
                if own and all(trial.state == TrialState.FAIL for trial in own):
                    died = f"the training of {task.code} ended its process {MOST_ATTEMPTS} times"
                    return str(own[-1].user_attrs.get(_ERROR, died))
        return None

    # Inside

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Converts errors of the storage to the project's; a replaced journal is an error, too."""
        with _said(self._place.journal), quiet_optuna():
            if self._place.journal.stat().st_ino != self._file:
                raise OSError(None, "another file is in its place")
            yield

    def _trials(self, *states: TrialState) -> list[FrozenTrial]:
        return self._storage.get_all_trials(self._study, deepcopy=False, states=states)

    def _guard(self, trial: FrozenTrial) -> FileLock:
        return FileLock(self._place.guards / f".{trial.number}.guard")

    def _take_over(self, trial: FrozenTrial, attempt: int) -> None:
        """Queues a running trial again if its process died; after too many deaths the trial is at fault."""
        guard = self._guard(trial)
        try:
            guard.acquire(timeout=0)
        except Timeout:
            return
        try:
            # Another process may have ended it, and released its lock, since it was read.
            if self._storage.get_trial(trial._trial_id).state == TrialState.RUNNING:
                # In one piece: no process may see a task that failed and is not queued again.
                with self._backend.batch():
                    self._storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
                    if attempt < MOST_ATTEMPTS:
                        self._put_in_line(_task(trial), attempt + 1)
        finally:
            self._let_go(guard)

    def _end(
        self, claim: Claim, state: TrialState, attributes: Mapping[str, float | str], value: float | None = None
    ) -> None:
        with self._writing(), self._backend.batch():
            for name, known in attributes.items():
                self._storage.set_trial_user_attr(claim.trial, name, known)
            self._storage.set_trial_state_values(claim.trial, state, None if value is None else [value])
        self._let_go(claim.guard)

    def _let_go(self, guard: FileLock) -> None:
        guard.release()
        # Numbers of trials are never reused. Windows keeps the file of a lock that another process is trying to take.
        with contextlib.suppress(PermissionError):
            Path(guard.lock_file).unlink(missing_ok=True)

    def _put_in_line(self, task: TrainTask, attempt: int) -> None:
        space = self._place.space
        code = space.parse(task.code)
        distributions: dict[str, BaseDistribution] = {
            decision.name: CategoricalDistribution(decision.choices) for decision in space.decisions
        }
        named = zip(space.decisions, code.tolist(), strict=True)
        trial = create_trial(
            state=TrialState.WAITING,
            params={decision.name: decision.choices[choice] for decision, choice in named},
            distributions=distributions,
            user_attrs={
                "architecture": space.format(code),
                _CODE: task.code,
                _EPOCHS: task.epochs,
                _ATTEMPT: attempt,
            },
        )
        self._storage.create_new_trial(self._study, trial)


def _task(trial: FrozenTrial) -> TrainTask:
    return TrainTask(trial.user_attrs[_CODE], trial.user_attrs[_EPOCHS])


def _trained(trial: FrozenTrial) -> Trained:
    """Returns the outcome of a trial, whose record may be damaged."""
    (accuracy,) = trial.values
    return Trained(float(accuracy), float(trial.user_attrs["loss"]), int(trial.user_attrs["steps"]))


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

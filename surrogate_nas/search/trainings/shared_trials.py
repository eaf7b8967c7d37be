"""Keeps trainings as trials of an Optuna study that several processes share; none is trained twice.

A trial is one training: an architecture and a length. It is WAITING until a process claims it, RUNNING while that
process trains, and COMPLETE with its accuracy. Each running trial has a lock that the kernel drops when its holder
dies; a RUNNING trial whose lock is free has no holder, is marked as failed, and waits again as another trial.
"""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState, create_trial

from surrogate_nas.search.trainings.trial_places import TrialFolder

MOST_ATTEMPTS = 3
_CODE, _EPOCHS, _ATTEMPT, _ERROR = "code", "epochs", "attempt", "error"


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


class SharedTrials:
    """Tasks of one place, as one process sees them.

    Args:
        place: A prepared place.

    Raises:
        StoreError: If the journal cannot be read. All methods raise it, too, also if it disappeared or is not writable,
            or if the database that takes its place fails.
    """

    def __init__(self, place: TrialFolder) -> None:
        self._place, self._open = place, place.opened()
        self._storage = self._open.storage

    def ask(self, tasks: Sequence[TrainTask]) -> None:
        """Queues tasks that are neither done nor queued, and removes queued ones that are no longer needed.

        Call it while no other process works: a running trial is then a dead process's.
        """
        with self._open.used():
            for trial in self._trials(TrialState.RUNNING):
                self._take_over(trial, attempt=0)
            for trial in self._trials(TrialState.WAITING):
                if _task(trial) not in tasks:
                    self._storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
            known = {_task(trial) for trial in self._trials(TrialState.WAITING, TrialState.COMPLETE)}
            with self._open.in_one_piece():
                for task in tasks:
                    if task not in known:
                        self._put_in_line(task, attempt=1)

    def claim(self) -> Claim | None:
        """Takes a task whose process died, or the next queued one; returns None where there is none."""
        with self._open.used():
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
        with self._open.used(), self._open.in_one_piece():
            self._queue_again(claim.trial, claim.task, claim.attempt)
        self._let_go(claim.guard)

    def outcomes(self) -> dict[TrainTask, Trained]:
        """Returns the outcomes of all tasks that are done."""
        with self._open.used():
            return {_task(trial): _trained(trial) for trial in self._trials(TrialState.COMPLETE)}

    def failure(self, tasks: Sequence[TrainTask]) -> str | None:
        """Returns why one of the tasks will have no outcome, if so; ``ask`` gives it another chance."""
        with self._open.used():
            for task in tasks:
                own = [trial for trial in self._trials(*TrialState) if _task(trial) == task]
                if own and all(trial.state == TrialState.FAIL for trial in own):
                    died = f"the training of {task.code} ended its process {MOST_ATTEMPTS} times"
                    return str(own[-1].user_attrs.get(_ERROR, died))
        return None

    # Inside

    def _trials(self, *states: TrialState) -> list[FrozenTrial]:
        return self._storage.get_all_trials(self._open.study, deepcopy=False, states=states)

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
                with self._open.in_one_piece():
                    if attempt < MOST_ATTEMPTS:
                        self._queue_again(trial._trial_id, _task(trial), attempt + 1)
                    else:
                        self._storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
        finally:
            self._let_go(guard)

    def _queue_again(self, running: int, task: TrainTask, attempt: int) -> None:
        """Ends a running trial and queues its task; a process that is killed in between loses none."""
        others = self._trials(TrialState.WAITING, TrialState.RUNNING, TrialState.COMPLETE)
        if all(_task(trial) != task for trial in others if trial._trial_id != running):
            self._put_in_line(task, attempt)
        self._storage.set_trial_state_values(running, TrialState.FAIL)

    def _end(
        self, claim: Claim, state: TrialState, attributes: Mapping[str, float | str], value: float | None = None
    ) -> None:
        with self._open.used(), self._open.in_one_piece():
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
        self._storage.create_new_trial(self._open.study, trial)


def _task(trial: FrozenTrial) -> TrainTask:
    return TrainTask(trial.user_attrs[_CODE], trial.user_attrs[_EPOCHS])


def _trained(trial: FrozenTrial) -> Trained:
    """Returns the outcome of a trial, whose record may be damaged."""
    (accuracy,) = trial.values
    return Trained(float(accuracy), float(trial.user_attrs["loss"]), int(trial.user_attrs["steps"]))

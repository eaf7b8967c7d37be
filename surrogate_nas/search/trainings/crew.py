"""Worker processes that share trainings through an Optuna study; others take over the work of a killed one."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from surrogate_nas._processes.workers import Workers
from surrogate_nas.errors import StoreError, SurrogateNasError, TrainingError
from surrogate_nas.search.trainings.shared_trials import Claim, SharedTrials, Trained, TrainTask
from surrogate_nas.search.trainings.trial_places import TrialFolder

_POLL_SECONDS = 0.2
_DEATHS_EACH = 3  # without a result between them


class Work(Protocol):
    """Task of a worker process; it must be picklable."""

    def __call__(self, task: TrainTask, report: Callable[[int], None], stopped: Callable[[], bool]) -> Trained | None:
        """Reports steps done and returns the outcome, or None once stopped, so that the task can be resumed."""


@dataclass(frozen=True)
class Crew:
    """Workers that process tasks of a place until they are done, and are kept for the next tasks.

    Outcomes depend only on tasks, not on workers, order, or how often a process died in the meantime.

    Attributes:
        place: A prepared place.
        work: Function that does a task.
        workers: The processes.
    """

    place: TrialFolder
    work: Work
    workers: Workers

    def run(
        self,
        tasks: Sequence[TrainTask],
        *,
        on_outcome: Callable[[TrainTask, Trained], None],
        on_progress: Callable[[int], None],
        should_stop: Callable[[], bool],
    ) -> None:
        """Runs every task; returns early once a stop was requested.

        Args:
            tasks: Tasks to do.
            on_outcome: Called with each task's outcome once, as they come in; outcomes of earlier runs come at once.
            on_progress: Called with the steps of tasks that run, and of tasks that were done here.
            should_stop: Called a few times a second; once true, workers save their state.

        Raises:
            TrainingError: If a task fails, or ends its process again and again.
            StoreError: If the journal disappears.
        """
        trials = SharedTrials(self.place)
        trials.ask(tasks)
        watch = _Watch(trials, tasks, on_outcome, on_progress)
        watch.look(0)
        while not (watch.all_done or should_stop()):
            self.workers.run(
                _TakeTasks(self.place, self.work),
                range(min(self.workers.processes, watch.missing)),
                on_result=lambda *_: None,
                on_progress=watch.look,
                should_stop=lambda: watch.all_done or should_stop(),
                on_death=lambda _, how: watch.count_death(_DEATHS_EACH * self.workers.processes, how),
            )


class _Watch:
    """Hands out the outcomes of tasks as they come in, and stops tasks that cannot end."""

    def __init__(
        self,
        trials: SharedTrials,
        tasks: Sequence[TrainTask],
        on_outcome: Callable[[TrainTask, Trained], None],
        on_progress: Callable[[int], None],
    ) -> None:
        self._trials, self._tasks = trials, tasks
        self._on_outcome, self._on_progress = on_outcome, on_progress
        self._missing, self._deaths, self._steps = set(tasks), 0, 0

    @property
    def all_done(self) -> bool:
        return not self._missing

    @property
    def missing(self) -> int:
        return len(self._missing)

    def look(self, running: int) -> None:
        """Takes the steps of running tasks; raises the errors of ``Crew.run``."""
        outcomes = self._trials.outcomes()
        for task in self._tasks:
            if task in self._missing and task in outcomes:
                self._missing.remove(task)
                self._steps += outcomes[task].steps
                self._deaths = 0
                self._on_outcome(task, outcomes[task])
        if self._missing and (reason := self._trials.failure([*self._missing])) is not None:
            raise TrainingError(reason)
        self._on_progress(self._steps + running)

    def count_death(self, most: int, how: str) -> None:
        self._deaths += 1
        if self._deaths > most:
            raise TrainingError(f"worker processes died {self._deaths} times without a result between them: {how}")


@dataclass(frozen=True)
class _TakeTasks:
    """Worker loop: takes tasks, one after another, until it is stopped."""

    place: TrialFolder
    work: Work

    def __call__(self, job: int, report: Callable[[int], None], stopped: Callable[[], bool]) -> None:
        del job  # the number of the worker
        try:
            trials = SharedTrials(self.place)
            while not stopped():
                claim = trials.claim()
                if claim is None:
                    time.sleep(_POLL_SECONDS)
                else:
                    self._do(trials, claim, report, stopped)
                    report(0)
        except StoreError:
            return  # the parent meets the same error, and reports it

    def _do(
        self, trials: SharedTrials, claim: Claim, report: Callable[[int], None], stopped: Callable[[], bool]
    ) -> None:
        try:
            outcome = self.work(claim.task, report, stopped)
        except SurrogateNasError as error:
            trials.fail(claim, str(error))
            return
        if outcome is None:
            trials.give_back(claim)
        else:
            trials.finish(claim, outcome)

"""Worker processes that share trainings through an Optuna study; another one takes over the work of a killed one."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from surrogate_nas._processes.workers import Workers
from surrogate_nas.errors import StoreError, SurrogateNasError, TrainingError
from surrogate_nas.search.trainings.shared_trials import Claim, SharedTrials, Trained, TrainTask, TrialFolder

_POLL_SECONDS = 0.2
_DEATHS_EACH = 3  # without a result between them


class Work(Protocol):
    """Does a task in a worker process; must be something that can be pickled."""

    def __call__(self, task: TrainTask, report: Callable[[int], None], stopped: Callable[[], bool]) -> Trained | None:
        """Tells steps done; returns None once stopped, so that it can be gone on with."""


@dataclass(frozen=True)
class Crew:
    """Takes tasks of a place until they are done, with workers that are kept for the next tasks.

    Outcomes depend on tasks alone, not on who did them, in which order, or how often a process died meanwhile.

    Attributes:
        place: A prepared place.
        work: What is done with a task.
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
        """Has every task done; returns early once a stop was asked for.

        Args:
            tasks: What is to be done.
            on_outcome: Takes each task's outcome once, as they come in; those of earlier runs at once.
            on_progress: Takes the steps done of tasks that run, and of those that were done here.
            should_stop: Asked a few times a second; once true, workers save what they have.

        Raises:
            TrainingError: If a task fails, or ends its process again and again.
            StoreError: If the journal goes away.
        """
        trials = SharedTrials(self.place)
        trials.ask(tasks)
        watch = _Watch(trials, tasks, on_outcome, on_progress)
        watch.look(0)
        while not (watch.all_done or should_stop()):
            self.workers.run(
                _TakeTasks(self.place, self.work),
                range(self.workers.processes),
                on_result=lambda *_: None,
                on_progress=watch.look,
                should_stop=lambda: watch.all_done or should_stop(),
                on_death=lambda _: watch.count_death(_DEATHS_EACH * self.workers.processes),
            )


class _Watch:
    """Hands out the outcomes of tasks as they come in, and ends what cannot come to an end."""

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

    def look(self, running: int) -> None:
        """Takes the steps of running tasks; raises what ``Crew.run`` raises."""
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

    def count_death(self, most: int) -> None:
        self._deaths += 1
        if self._deaths > most:
            raise TrainingError(
                "worker processes die again and again, most likely for want of memory; run again with --resume"
                " and fewer compute.processes"
            )


@dataclass(frozen=True)
class _TakeTasks:
    """What a worker does: tasks, one after another, until it is stopped."""

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
            return  # the parent meets it as well, and says it

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

"""Worker processes that share trainings through an Optuna study; a killed one's work is taken over by another."""

import multiprocessing
import time
from collections.abc import Callable, Sequence
from multiprocessing.context import SpawnProcess
from typing import Any, Protocol

from surrogate_nas._processes.child import begin_child, interrupts_held
from surrogate_nas.errors import StoreError, SurrogateNasError, TrainingError
from surrogate_nas.search.trainings.shared_trials import Claim, Outcome, Place, SharedTrials, Task

_POLL_SECONDS = 0.2
_PATIENCE_SECONDS = 60.0
_DEATHS_EACH = 3  # without a result between them


class Work(Protocol):
    """Does a task in a worker process; must be something that can be pickled."""

    def __call__(self, task: Task, report: Callable[[int], None], stopped: Callable[[], bool]) -> Outcome | None:
        """Tells steps done; returns None once stopped, so that it can be gone on with."""


class Crew:
    """Processes that work through the tasks of a place, begun at their first use and kept until the end.

    Workers leave interrupts to the parent and end with it. Outcomes depend on tasks alone, not on who did them, in
    which order, or how often a process died meanwhile.

    Args:
        place: A prepared place.
        work: What is done with a task.
        processes: Number of workers.
    """

    def __init__(self, place: Place, work: Work, processes: int) -> None:
        self._place, self._work = place, work
        self._context = multiprocessing.get_context("spawn")
        # Steps done of each worker's task, and then whether to stop. Each number has one writer: no lock is needed,
        # which a killed process might take with it.
        self._shared = self._context.RawArray("q", processes + 1)
        self._workers: list[SpawnProcess | None] = [None] * processes

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *_: object) -> None:
        self._shared[-1] = 1
        for worker in self._workers:
            if worker is not None:
                worker.join(_PATIENCE_SECONDS)
                worker.kill()
                worker.join()

    @property
    def pids(self) -> list[int]:
        """Of the workers that live."""
        return [worker.pid for worker in self._workers if worker is not None and worker.is_alive() and worker.pid]

    def run(
        self,
        tasks: Sequence[Task],
        *,
        on_outcome: Callable[[Task, Outcome], None],
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
        trials = SharedTrials(self._place)
        trials.ask(tasks)
        missing, deaths, steps = set(tasks), 0, 0
        while True:
            outcomes = trials.outcomes()
            done = [task for task in tasks if task in missing and task in outcomes]
            for task in done:
                missing.remove(task)
                steps += outcomes[task].steps
                deaths = 0
                on_outcome(task, outcomes[task])
            if not missing or should_stop():
                return
            if (reason := trials.failure([*missing])) is not None:
                raise TrainingError(reason)
            deaths += self._begin()
            if deaths > _DEATHS_EACH * len(self._workers):
                raise TrainingError(
                    "worker processes die again and again, most likely for want of memory; run again with --resume"
                    " and fewer compute.processes"
                )
            on_progress(steps + sum(self._shared[:-1]))
            time.sleep(_POLL_SECONDS)

    def _begin(self) -> int:
        """Begins workers that are not there; gives how many had died."""
        died = 0
        for slot, worker in enumerate(self._workers):
            if worker is not None and worker.is_alive():
                continue
            died += worker is not None
            self._shared[slot] = 0
            begun = self._context.Process(target=_take_tasks, args=(self._place, self._work, self._shared, slot))
            with interrupts_held():
                begun.start()
            self._workers[slot] = begun
        return died


def _take_tasks(place: Place, work: Work, shared: Any, slot: int) -> None:  # noqa: ANN401 - types of multiprocessing
    begin_child()
    try:
        trials = SharedTrials(place)
        while not shared[-1]:
            claim = trials.claim()
            if claim is None:
                time.sleep(_POLL_SECONDS)
            else:
                _do(trials, claim, work, shared, slot)
    except StoreError:
        return  # the parent meets it as well, and says it


def _do(trials: SharedTrials, claim: Claim, work: Work, shared: Any, slot: int) -> None:  # noqa: ANN401
    def report(steps: int) -> None:
        shared[slot] = steps

    try:
        outcome = work(claim.task, report, lambda: bool(shared[-1]))
    except SurrogateNasError as error:
        trials.fail(claim, str(error))
        return
    if outcome is None:
        trials.give_back(claim)
    else:
        trials.finish(claim, outcome)
    shared[slot] = 0

"""Runs jobs in slots, each with a process of its own, and starts jobs again whose process died."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Self, TypeVar, final

from surrogate_nas._processes.workers import Task
from surrogate_nas.errors import TrainingError

Job = TypeVar("Job", contravariant=True)
Result = TypeVar("Result", covariant=True)
_POLL_SECONDS = 0.2


class WorkerDiedError(Exception):
    """The process of a job has ended before the job."""


class SlottedWorkers(ABC):
    """Workers in slots: a back-end says how a job begins in one, how far it is, and what ends it.

    Args:
        processes: Number of worker processes.
        restarts: How often a job is started again if its process dies, where ``run`` has no ``on_death``.
    """

    def __init__(self, processes: int, restarts: int = 0) -> None:
        self.processes = processes
        self._restarts = restarts
        self._runs = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Ends the processes, where nothing needs them for a while; another run starts new ones."""

    @final
    def run(
        self,
        task: Task[Job, Result],
        jobs: Sequence[Job],
        *,
        on_result: Callable[[int, Result], None],
        on_progress: Callable[[int], None],
        should_stop: Callable[[], bool],
        on_death: Callable[[int, str], None] | None = None,
    ) -> None:
        """Runs a task on every job, as ``Workers.run`` says."""
        self._runs += 1
        waiting = list(enumerate(jobs))[::-1]
        running: dict[Future[Result], tuple[int, int]] = {}  # position of the job, and its slot
        deaths: dict[int, int] = {}
        finished = 0  # progress of jobs that have ended
        try:
            while waiting or running:
                if should_stop():
                    self._stop()
                    waiting.clear()
                busy = {slot for _, slot in running.values()}
                while waiting and (slot := self._free(busy, len(waiting))) is not None:
                    position, job = waiting.pop()
                    running[self._begin(slot, task, job)] = position, slot
                    busy.add(slot)
                done, _ = wait(running, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
                on_progress(finished + sum(self._progress(slot) for _, slot in running.values()))
                for future in done:
                    position, slot = running.pop(future)
                    if not isinstance(future.exception(), WorkerDiedError):
                        finished += self._progress(slot)
                        on_result(position, future.result())
                        continue
                    remedy = self._buried(slot)
                    if should_stop():
                        continue  # a signal to the whole process group is the user's wish, and ends workers too
                    deaths[position] = deaths.get(position, 0) + 1
                    if on_death is not None:
                        on_death(position, remedy)
                    elif deaths[position] > self._restarts:
                        raise TrainingError(remedy)
                    waiting.append((position, jobs[position]))
        except BaseException:
            self._stop()
            raise

    @abstractmethod
    def _free(self, busy: set[int], waiting: int) -> int | None:
        """Returns a slot that can take a job at once; processes may be started for the number of waiting jobs."""

    @abstractmethod
    def _begin(self, slot: int, task: Task[Job, Result], job: Job) -> Future[Result]:
        """Begins a job in a slot; the future raises ``WorkerDiedError`` if the process dies."""

    @abstractmethod
    def _progress(self, slot: int) -> int:
        """Returns the progress of the slot's last job."""

    @abstractmethod
    def _buried(self, slot: int) -> str:
        """Gives a slot whose process died a new one; returns how it died and what to do about it."""

    @abstractmethod
    def _stop(self) -> None:
        """Asks the jobs of the current run to return early."""

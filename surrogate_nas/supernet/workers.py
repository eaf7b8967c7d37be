"""Worker processes for trainings and evaluations that do not depend on each other."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait as wait_for_any
from typing import Any, Protocol, TypeVar

from surrogate_nas.errors import TrainingError

Job = TypeVar("Job", contravariant=True)
Result = TypeVar("Result", covariant=True)
_POLL_SECONDS = 0.2


class Task(Protocol[Job, Result]):
    """A module-level function that a worker runs on a job."""

    def __call__(self, job: Job, report: Callable[[int], None], stopped: Callable[[], bool]) -> Result:
        """Does the job; tells its progress, and returns early once stopped."""


class Workers:
    """A pool of processes, started at the first use.

    Workers leave an interrupt from the keyboard to the main process, and end with it even when it is killed, so that
    two runs never write one folder.

    Args:
        processes: Number of worker processes.
    """

    def __init__(self, processes: int) -> None:
        self.processes = processes
        self._context = multiprocessing.get_context("spawn")
        self._stop = self._context.Event()
        self._pool: ProcessPoolExecutor | None = None
        self._counters: Any = None

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def run(
        self,
        task: Task[Job, Result],
        jobs: Sequence[Job],
        *,
        on_result: Callable[[int, Result], None],
        on_progress: Callable[[int], None],
        should_stop: Callable[[], bool],
    ) -> None:
        """Runs a task on every job, a few at a time, in the order given.

        Args:
            task: A function that processes can import.
            jobs: Its jobs.
            on_result: Takes the position of a job and its result, in the order in which they end.
            on_progress: Takes the sum of the progress that jobs told, a few times a second.
            should_stop: Asked a few times a second; once true, running jobs are asked to return early and no new one is
                begun.

        Raises:
            TrainingError: If a worker process dies.
        """
        if self._pool is None:
            self._counters = self._context.Array("q", 65_536, lock=False)
            self._pool = ProcessPoolExecutor(
                self.processes, self._context, initializer=_start_worker, initargs=(self._stop, self._counters)
            )
        if len(jobs) > len(self._counters):
            raise ValueError(f"at most {len(self._counters)} jobs at once (got {len(jobs)})")
        self._counters[: len(jobs)] = [0] * len(jobs)
        waiting = list(enumerate(jobs))[::-1]
        running: dict[Future[Result], int] = {}
        try:
            while waiting or running:
                if should_stop():
                    self._stop.set()
                    waiting.clear()
                while waiting and len(running) < self.processes:
                    position, job = waiting.pop()
                    running[self._pool.submit(_run_task, task, job, position)] = position
                done, _ = wait(running, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
                on_progress(sum(self._counters[: len(jobs)]))
                for future in done:
                    on_result(running.pop(future), future.result())
        except BrokenProcessPool:
            raise TrainingError(
                "a worker process died, most likely for want of memory; run again with --resume, and with fewer"
                " compute.processes if it happens again"
            ) from None
        except BaseException:
            self._stop.set()
            raise


_stop_event: Any = None
_counters: Any = None


def _start_worker(stop_event: Any, counters: Any) -> None:  # noqa: ANN401 - types of multiprocessing are private
    global _stop_event, _counters
    _stop_event, _counters = stop_event, counters
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for_any([parent.sentinel])
        # Files are replaced in one piece, so there is nothing to tidy up.
        os._exit(1)


def _run_task(task: Task[Job, Result], job: Job, position: int) -> Result:
    def report(progress: int) -> None:
        _counters[position] = progress

    return task(job, report, _stop_event.is_set)

"""Worker processes for trainings and evaluations that do not depend on each other."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Protocol, TypeVar

from surrogate_nas._processes.child import begin_child, interrupts_held, working_folder_left_out
from surrogate_nas.errors import TrainingError

Job = TypeVar("Job", contravariant=True)
Result = TypeVar("Result", covariant=True)
_POLL_SECONDS = 0.2
_CANNOT_BEGIN = (
    "a worker process cannot begin; a script that calls the study has to be a file, and to call it under"
    ' if __name__ == "__main__":'
)


class Task(Protocol[Job, Result]):
    """A module-level function that a worker runs on a job."""

    def __call__(self, job: Job, report: Callable[[int], None], stopped: Callable[[], bool]) -> Result:
        """Does the job; reports its progress, and returns early once stopped."""


class Workers:
    """Processes that are started at their first use and kept until the end.

    Workers leave an interrupt from the keyboard to the main process, and end with it even when it is killed, so that
    two runs never write one folder.

    Args:
        processes: Number of worker processes.
    """

    def __init__(self, processes: int) -> None:
        self.processes = processes
        context = multiprocessing.get_context("spawn")
        # The progress of each running job, and then the last run that was stopped. Each number has one writer; a lock
        # would block everybody else for good if its holder were killed.
        self._shared = context.RawArray("q", processes + 1)
        # Whether each process has come as far as its first job.
        self._begun = context.RawArray("b", processes)
        self._runs = 0
        self._context = context
        # A pool for each process. One pool of several may miss the death of a process that it started while it was
        # already waiting (its watcher wakes before the new process is on its list), and would end the others at once,
        # which here are asked to save their work first.
        self._pools: list[ProcessPoolExecutor] = []

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the processes, where nothing needs them for a while; another run starts new ones."""
        self._stop()
        if self._pools:
            # Side by side: a cluster gives all of them together some seconds to end.
            with ThreadPoolExecutor(len(self._pools)) as closing:
                list(closing.map(lambda pool: pool.shutdown(wait=True, cancel_futures=True), self._pools))
        self._pools.clear()

    def run(
        self,
        task: Task[Job, Result],
        jobs: Sequence[Job],
        *,
        on_result: Callable[[int, Result], None],
        on_progress: Callable[[int], None],
        should_stop: Callable[[], bool],
        on_death: Callable[[int], None] | None = None,
    ) -> None:
        """Runs a task on every job, a few at a time, in the order given.

        Args:
            task: A function that processes can import.
            jobs: Its jobs.
            on_result: Takes the position of a job and its result, in the order in which they end.
            on_progress: Takes the sum of the progress of all jobs, a few times a second.
            should_stop: Asked a few times a second; once true, running jobs are asked to return early and no new one is
                started.
            on_death: Takes the position of a job whose process died with no stop requested; the job is then started
                again in a new process, unless this raises.

        Raises:
            TrainingError: If a worker process dies while no stop was requested, and ``on_death`` is not given.
            Exception: What a job raised. Either way the other jobs are asked to return early.
        """
        self._runs += 1
        waiting = list(enumerate(jobs))[::-1]
        running: dict[Future[Result], tuple[int, int]] = {}  # position of the job, and its process
        free = list(range(self.processes))[::-1]
        finished = 0  # progress of jobs that have ended
        try:
            while waiting or running:
                if should_stop():
                    self._stop()
                    waiting.clear()
                while waiting and free:
                    (position, job), slot = waiting.pop(), free.pop()
                    self._shared[slot] = 0
                    pool = self._pool(slot)
                    with interrupts_held(), working_folder_left_out():
                        running[pool.submit(_run_task, task, job, slot, self._runs)] = position, slot
                done, _ = wait(running, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
                on_progress(finished + sum(self._shared[slot] for _, slot in running.values()))
                for future in done:
                    position, slot = running.pop(future)
                    free.append(slot)
                    if isinstance(future.exception(), BrokenProcessPool) and on_death is not None and not should_stop():
                        on_death(position)
                        self._pools[slot] = self._new_pool(slot)
                        waiting.append((position, jobs[position]))
                        continue
                    finished += self._shared[slot]
                    on_result(position, future.result())
        except BrokenProcessPool:
            if should_stop():
                return  # a signal to the whole process group is the user's wish, and ends workers too
            self._stop()
            if not self._begun[slot]:
                raise TrainingError(_CANNOT_BEGIN) from None
            raise TrainingError(
                "a worker process died, most likely because memory ran out; run again with --resume, and with fewer"
                " compute.processes if it happens again"
            ) from None
        except BaseException:
            self._stop()
            raise

    def _pool(self, slot: int) -> ProcessPoolExecutor:
        if slot == len(self._pools):
            self._pools.append(self._new_pool(slot))
        return self._pools[slot]

    def _new_pool(self, slot: int) -> ProcessPoolExecutor:
        self._begun[slot] = 0
        # Its queue begins a process of Python's own, which tracks what processes share.
        with working_folder_left_out():
            return ProcessPoolExecutor(
                1, self._context, initializer=_start_worker, initargs=(self._shared, self._begun, slot)
            )

    def _stop(self) -> None:
        self._shared[-1] = self._runs


_shared: Any = None


def _start_worker(shared: Any, begun: Any, slot: int) -> None:  # noqa: ANN401 - types of multiprocessing are private
    global _shared
    _shared = shared
    begun[slot] = 1
    begin_child()


def _run_task(task: Task[Job, Result], job: Job, slot: int, run: int) -> Result:
    def report(progress: int) -> None:
        _shared[slot] = progress

    return task(job, report, lambda: bool(_shared[-1] >= run))

"""Worker processes on this machine."""

import multiprocessing
import os
import signal
import time
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any, TypeVar, final

from surrogate_nas._processes.child import begin_child, interrupts_held, working_folder_left_out
from surrogate_nas._processes.slotted_workers import SlottedWorkers, WorkerDiedError
from surrogate_nas._processes.workers import Task

Job = TypeVar("Job", contravariant=True)
Result = TypeVar("Result", covariant=True)
_VISIBLE = "CUDA_VISIBLE_DEVICES"
_CANNOT_BEGIN = (
    "a worker process cannot begin; a script that calls the study has to be a file, and to call it under"
    ' if __name__ == "__main__":'
)
_EXIT_CODE_SECONDS = 5.0  # that the system takes at most to tell how a process ended


@final
class _OwnContext(SpawnContext):
    """A way to begin processes that keeps the last one, since a pool does not tell how its process ended."""

    last: SpawnProcess | None = None

    def Process(self, *words: Any, **options: Any) -> SpawnProcess:  # type: ignore[override]  # noqa: ANN401, N802
        """Returns a new process; a pool calls it."""
        self.last = SpawnProcess(*words, **options)
        return self.last

    def exit_code(self) -> int | None:
        """Returns how the last process ended, below zero by a signal; None where the system does not tell."""
        deadline = time.monotonic() + _EXIT_CODE_SECONDS
        # The pool waits for the process as well, and only one of the two gets the answer first.
        while self.last is not None and self.last.exitcode is None and time.monotonic() < deadline:
            time.sleep(0.01)
        return None if self.last is None else self.last.exitcode


def how_it_died(exit_code: int | None) -> str:
    """Returns how a worker process ended and what to do, in words.

    Args:
        exit_code: Its exit code, below zero where a signal ended it; None where it is not known.
    """
    if exit_code is None:
        return "a worker process died; run again with --resume"
    if exit_code == -getattr(signal, "SIGKILL", 9):
        return (
            "a worker process died by SIGKILL, most likely because memory ran out; run again with --resume, and with"
            " fewer compute.processes if it happens again"
        )
    if exit_code < 0:
        name = next((one.name for one in signal.Signals if one == -exit_code), f"signal {-exit_code}")
        return f"a worker process died by {name}; look for a message of it above, then run again with --resume"
    return (
        f"a worker process died with exit code {exit_code}; look for a message of it above, then run again with"
        " --resume"
    )


@final
class LocalWorkers(SlottedWorkers):
    """Processes of this machine.

    They leave an interrupt from the keyboard to the main process, and end with it even when it is killed, so that two
    runs never write one folder. A job whose process dies is not started again; the error says how the process ended.

    Args:
        processes: Number of worker processes.
        gpus: GPUs that they take in turn; each process sees its own alone. 0 where all processes see all.
    """

    def __init__(self, processes: int, gpus: int = 0) -> None:
        super().__init__(processes)
        self._gpus = gpus
        context = multiprocessing.get_context("spawn")
        # The progress of each running job, and then the last run that was stopped. Each number has one writer; a lock
        # would block everybody else for good if its holder were killed.
        self._shared = context.RawArray("q", processes + 1)
        # Whether each process has come as far as its first job.
        self._begun = context.RawArray("b", processes)
        # A pool for each process. One pool of several may miss the death of a process that it started while it was
        # already waiting (its watcher wakes before the new process is on its list), and would end the others at once,
        # which here are asked to save their work first.
        self._pools: list[ProcessPoolExecutor] = []
        self._contexts = [_OwnContext() for _ in range(processes)]

    def close(self) -> None:
        """Ends the processes, where nothing needs them for a while; another run starts new ones."""
        self._stop()
        if self._pools:
            # Side by side: a cluster gives all of them together some seconds to end.
            with ThreadPoolExecutor(len(self._pools)) as closing:
                list(closing.map(lambda pool: pool.shutdown(wait=True, cancel_futures=True), self._pools))
        self._pools.clear()

    def _free(self, busy: set[int], waiting: int) -> int | None:
        del waiting
        return next((slot for slot in range(self.processes) if slot not in busy), None)

    def _begin(self, slot: int, task: Task[Job, Result], job: Job) -> Future[Result]:
        self._shared[slot] = 0
        while slot >= len(self._pools):
            self._pools.append(self._new_pool(len(self._pools)))
        try:
            begun = self._submitted(slot, task, job)
        except BrokenProcessPool:  # it died since its last job, so not by this one
            self._pools[slot] = self._new_pool(slot)
            begun = self._submitted(slot, task, job)
        return _raising_our_error(begun)

    def _submitted(self, slot: int, task: Task[Job, Result], job: Job) -> Future[Result]:
        with interrupts_held(), working_folder_left_out():
            return self._pools[slot].submit(_run_task, task, job, slot, self._runs)

    def _progress(self, slot: int) -> int:
        return int(self._shared[slot])

    def _buried(self, slot: int) -> str:
        remedy = how_it_died(self._contexts[slot].exit_code()) if self._begun[slot] else _CANNOT_BEGIN
        self._pools[slot] = self._new_pool(slot)
        return remedy

    def _new_pool(self, slot: int) -> ProcessPoolExecutor:
        self._begun[slot] = 0
        # Its queue begins a process of Python's own, which tracks what processes share.
        with working_folder_left_out():
            return ProcessPoolExecutor(
                1,
                self._contexts[slot],
                initializer=_start_worker,
                initargs=(self._shared, self._begun, slot, self._gpu(slot)),
            )

    def _gpu(self, slot: int) -> str | None:
        """Returns the name of a slot's GPU, as ``CUDA_VISIBLE_DEVICES`` has it."""
        if not self._gpus:
            return None
        names = [name for name in os.environ.get(_VISIBLE, "").split(",") if name] or list(map(str, range(self._gpus)))
        return names[slot % min(self._gpus, len(names))]

    def _stop(self) -> None:
        self._shared[-1] = self._runs


def _raising_our_error(begun: Future[Result]) -> Future[Result]:
    """Returns a future of the same outcome that raises ``WorkerDiedError`` if the process died."""
    outcome: Future[Result] = Future()

    def end(ended: Future[Result]) -> None:
        error = ended.exception()
        if error is None:
            outcome.set_result(ended.result())
        else:
            outcome.set_exception(WorkerDiedError() if isinstance(error, BrokenProcessPool) else error)

    begun.add_done_callback(end)
    return outcome


_shared: Any = None


def _start_worker(shared: Any, begun: Any, slot: int, gpu: str | None) -> None:  # noqa: ANN401 - private types
    global _shared
    if gpu is not None:
        os.environ[_VISIBLE] = gpu  # before anything of this process asks for GPUs
    _shared = shared
    begun[slot] = 1
    begin_child()


def _run_task(task: Task[Job, Result], job: Job, slot: int, run: int) -> Result:
    def report(progress: int) -> None:
        _shared[slot] = progress

    return task(job, report, lambda: bool(_shared[-1] >= run))

"""Worker processes on the machines of a Ray cluster (https://docs.ray.io), which needs the extra ``ray``."""

import os
import re
import sys
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, final

from surrogate_nas._processes.cluster_connection import connected
from surrogate_nas._processes.cluster_machine import RayMachine, versions
from surrogate_nas._processes.slotted_workers import SlottedWorkers, WorkerDiedError
from surrogate_nas._processes.workers import Task
from surrogate_nas.errors import SettingsError, TrainingError

Job = TypeVar("Job", contravariant=True)
Result = TypeVar("Result", covariant=True)
_RESTARTS = 3  # of each job
_ASK_SECONDS = 0.5
_COUNT_SECONDS = 10.0  # between two counts of a cluster's room
_END_SECONDS = 30.0  # for jobs that were asked to return early
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")  # Ray paints parts of its errors
_LETTERS = 200  # of an error
_THREADS = 3  # of a worker: one works, one answers, one stops
_PATIENCE_SECONDS = 600.0  # a cluster may have to start machines first
_CONTINUE = "look at `ray status`, and continue with --resume"
_DIED = (
    "worker processes of the Ray cluster die again and again; `ray status` and `ray logs` say why. Then run again with"
    " --resume"
)


@dataclass(frozen=True)
class Share:
    """Part of a machine that a worker process gets.

    Attributes:
        processors: Number of processors.
        gpus: Number of GPUs; a part of 1 lets processes share one.
    """

    processors: int = 1
    gpus: float = 0.0


@final
class RayWorkers(SlottedWorkers):
    """Processes that a Ray cluster places where it has room.

    A job whose process or machine dies is started again elsewhere, three times at most. All machines need the folder
    of the run at one path, and this version of the package.

    Args:
        address: ``auto`` for the cluster of this machine or of ``RAY_ADDRESS``, or ``ray://HOST:PORT``.
        processes: Number of worker processes; None for as many as the cluster has room for, also when it grows.
        share: The part of a machine that each of them gets.
        witness: A file of the run that all machines must see, whenever a job begins.

    Raises:
        SettingsError: If Ray is not installed, or there is no such cluster.
    """

    def __init__(self, address: str, processes: int | None, share: Share, witness: Path) -> None:
        self._ray = connected(address)
        super().__init__(processes or _room(self._ray, share), _RESTARTS)
        self._share, self._witness = share, witness.resolve()
        self._slots: dict[int, _Slot] = {}
        self._waits_since = self._counted_at = time.monotonic()
        self._grows, self._false_starts = processes is None, 0

    def __exit__(self, *_: object) -> None:
        self.close()
        self._ray.shutdown()

    def close(self) -> None:
        """Ends the processes, where nothing needs them for a while; another run starts new ones."""
        self._stop()
        deadline = time.monotonic() + _END_SECONDS
        while any(slot.works for slot in self._slots.values()) and time.monotonic() < deadline:
            time.sleep(_ASK_SECONDS / 10)
        for slot in self._slots.values():
            self._end(slot)
        self._slots.clear()

    def _free(self, busy: set[int], waiting: int) -> int | None:
        if self._grows and time.monotonic() - self._counted_at > _COUNT_SECONDS:
            # No slot is ever taken away: a machine that has left may come back.
            self.processes = max(self.processes, _room(self._ray, self._share))
            self._counted_at = time.monotonic()
        idle = [slot for slot in range(self.processes) if slot not in busy]
        for number in idle[:waiting]:
            if number not in self._slots:
                self._slots[number] = self._started()
        for number in idle:
            if number in self._slots and self._is_ready(number):
                self._waits_since = time.monotonic()
                return number
        if busy:
            self._waits_since = time.monotonic()
        elif time.monotonic() - self._waits_since > _PATIENCE_SECONDS:
            raise TrainingError(
                f"no machine of the Ray cluster had {self._share.processors} free processors and"
                f" {self._share.gpus:g} free GPUs within {_PATIENCE_SECONDS / 60:g} minutes; {_CONTINUE}"
            )
        else:
            time.sleep(_ASK_SECONDS / 10)
        return None

    def _begin(self, slot: int, task: Task[Job, Result], job: Job) -> Future[Result]:
        place = self._slots[slot]
        place.progress, place.works = 0, True
        outcome: Future[Result] = Future()

        def end(ended: Future[Any]) -> None:
            place.works = False
            error = ended.exception()
            if error is not None:
                # What a task raises comes back as a result; an error of a task itself is a job that cannot be read.
                failed = isinstance(error, self._ray.exceptions.RayTaskError)
                reason = f"a worker of the Ray cluster cannot begin a job: {_cause(error)}"
                outcome.set_exception(TrainingError(reason) if failed else WorkerDiedError())
                return
            result, raised, place.progress = ended.result()
            if raised is None:
                outcome.set_result(result)
            else:
                outcome.set_exception(raised)

        place.actor.work.remote(task, job, self._runs).future().add_done_callback(end)
        return outcome

    def _progress(self, slot: int) -> int:
        place = self._slots[slot]
        now = time.monotonic()
        if place.works and place.asked is None and now - place.asked_at > _ASK_SECONDS:
            place.asked, place.asked_at = place.actor.progress.remote().future(), now
        if place.asked is not None and place.asked.done():
            answer, place.asked = place.asked, None
            if place.works and answer.exception() is None:
                place.progress = answer.result()
        return place.progress

    def _buried(self, slot: int) -> str:
        self._end(self._slots.pop(slot))
        return _DIED

    def _stop(self) -> None:
        for slot in self._slots.values():
            slot.actor.stop.remote(self._runs)

    def _started(self) -> "_Slot":
        worker = self._ray.remote(RayMachine).options(
            max_concurrency=_THREADS,
            num_cpus=self._share.processors,
            num_gpus=self._share.gpus,
            scheduling_strategy="SPREAD",
        )
        actor = worker.remote(os.getcwd(), sys.path)
        return _Slot(actor, actor.refusal.remote(versions(), self._witness).future())

    def _is_ready(self, number: int) -> bool:
        """Returns whether a worker has begun.

        Raises:
            SettingsError: If its machine cannot do the work.
            TrainingError: If workers cannot begin, again and again.
        """
        slot = self._slots[number]
        if not slot.begun.done():
            return False
        if (error := slot.begun.exception()) is not None:
            self._end(self._slots.pop(number))  # its machine may have died; another takes its place
            self._false_starts += 1
            if self._false_starts > _RESTARTS * self.processes:
                raise TrainingError(f"workers of the Ray cluster cannot begin: {_cause(error)}; {_CONTINUE}")
            return False
        self._false_starts = 0
        refusal = slot.begun.result()
        if refusal is not None:
            raise SettingsError(refusal)
        return True

    def _end(self, slot: "_Slot") -> None:
        """Ends a process for certain: a machine that was only cut off may still work on the job."""
        self._ray.kill(slot.actor)


@dataclass
class _Slot:
    """A worker process of the cluster.

    Attributes:
        actor: Its handle.
        begun: Reason why its machine cannot do the work, or None, once it has begun.
        works: Whether it has a job.
        progress: Last known progress of that job.
        asked: The question for its progress that was not answered yet.
        asked_at: Time of the last question.
    """

    actor: Any
    begun: Future[Any]
    works: bool = False
    progress: int = 0
    asked: Future[Any] | None = None
    asked_at: float = field(default_factory=time.monotonic)


def _cause(error: BaseException) -> str:
    """Returns the last line of an error of Ray, which is the error that a machine raised; others are its traceback."""
    last = _COLOURS.sub("", str(error)).strip().rpartition("\n")[2].strip() or type(error).__name__
    return last[:_LETTERS]


def _room(ray: Any, share: Share) -> int:  # noqa: ANN401 - Ray is an optional package
    """Returns the number of workers that the whole cluster has room for."""
    has: Mapping[str, float] = ray.cluster_resources()
    places = [has.get("CPU", 0) / share.processors]
    if share.gpus:
        places.append(has.get("GPU", 0) / share.gpus)
    return max(1, int(min(places)))

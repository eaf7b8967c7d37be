"""The loop of workers in slots, on slots that need no process."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from surrogate_nas._processes.slotted_workers import SlottedWorkers, WorkerDiedError
from surrogate_nas.errors import TrainingError


class Scripted(SlottedWorkers):
    """Slots whose jobs end at once: with a result, or with the death of their process.

    Args:
        processes: Number of slots.
        deaths: How often each job dies before it ends.
        restarts: How often a job may be started again.
    """

    def __init__(self, processes: int, deaths: dict[int, int], restarts: int) -> None:
        super().__init__(processes, restarts)
        self.deaths, self.begun, self.stops, self.buried = dict(deaths), list[tuple[int, int]](), 0, list[int]()

    def close(self) -> None:
        """Has nothing to end."""

    def _free(self, busy: set[int], waiting: int) -> int | None:
        assert waiting > 0
        return next((slot for slot in range(self.processes) if slot not in busy), None)

    def _begin(self, slot: int, task: Callable[..., Any], job: Any) -> Future[Any]:  # noqa: ANN401 - any job
        self.begun.append((slot, job))
        outcome: Future[Any] = Future()
        if self.deaths.get(job, 0):
            self.deaths[job] -= 1
            outcome.set_exception(WorkerDiedError())
        else:
            outcome.set_result(task(job, lambda _: None, lambda: False))
        return outcome

    def _progress(self, slot: int) -> int:
        return 10 + slot

    def _buried(self, slot: int) -> str:
        self.buried.append(slot)
        return "do something about it"

    def _stop(self) -> None:
        self.stops += 1


def double(job: int, report: Callable[[int], None], stopped: Callable[[], bool]) -> int:
    del report, stopped
    return 2 * job


def run(workers: SlottedWorkers, jobs: list[int], **callbacks: Callable[..., Any]) -> dict[int, int]:
    results: dict[int, int] = {}
    others: dict[str, Any] = {"on_progress": lambda _: None, "should_stop": lambda: False} | callbacks
    workers.run(double, jobs, on_result=results.__setitem__, **others)
    return results


def test_a_job_is_started_again_as_often_as_allowed() -> None:
    workers = Scripted(2, {5: 3, 6: 1}, restarts=3)
    assert run(workers, [4, 5, 6]) == {0: 8, 1: 10, 2: 12}
    assert len(workers.buried) == 4
    again = Scripted(2, {5: 4}, restarts=3)
    with pytest.raises(TrainingError, match="do something about it"):
        run(again, [4, 5, 6])
    assert again.stops == 1


def test_deaths_are_counted_for_each_job() -> None:
    workers = Scripted(1, dict.fromkeys(range(10), 1), restarts=1)
    assert len(run(workers, list(range(10)))) == 10


def test_no_job_is_started_again_once_a_stop_was_asked_for() -> None:
    asked: list[bool] = []
    workers = Scripted(1, {5: 1}, restarts=3)
    assert run(workers, [5, 6], on_progress=lambda _: asked.append(True), should_stop=lambda: bool(asked)) == {}
    assert [job for _, job in workers.begun] == [5]


def test_jobs_begin_in_order_in_free_slots_and_progress_is_summed() -> None:
    seen: list[int] = []
    workers = Scripted(3, {}, restarts=0)
    run(workers, [7, 8, 9, 10], on_progress=seen.append)
    assert workers.begun == [(0, 7), (1, 8), (2, 9), (0, 10)]
    assert seen == [10 + 11 + 12, 10 + 11 + 12 + 10]

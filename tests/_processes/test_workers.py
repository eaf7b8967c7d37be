"""All back-ends of workers: results, progress, stops, errors, and jobs whose process dies."""

import importlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from surrogate_nas import errors
from surrogate_nas._processes.local_workers import LocalWorkers
from surrogate_nas._processes.slotted_workers import SlottedWorkers
from surrogate_nas._processes.workers import Workers
from surrogate_nas.errors import TrainingError

HERE = Path(__file__).resolve().parent
Make = Callable[[int], SlottedWorkers]


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Returns the tasks, under a name by which worker processes find them too."""
    monkeypatch.syspath_prepend(str(HERE))
    return importlib.import_module("worker_tasks")


@pytest.fixture(params=["local", pytest.param("ray", marks=pytest.mark.slow)])
def make(request: pytest.FixtureRequest) -> Make:
    """Returns what makes workers of a back-end."""
    if request.param == "local":
        return LocalWorkers
    ray_workers: Make = request.getfixturevalue("ray_workers")
    return ray_workers


def run(
    workers: Workers, task: Callable[..., Any], jobs: Sequence[object], **callbacks: Callable[..., Any]
) -> dict[int, Any]:
    results: dict[int, Any] = {}
    with_defaults: dict[str, Any] = {
        "on_result": results.__setitem__,
        "on_progress": lambda _: None,
        "should_stop": lambda: False,
    } | callbacks
    workers.run(task, jobs, **with_defaults)
    return results


def test_results_by_position_progress_summed_and_processes_used_again(make: Make, tasks: ModuleType) -> None:
    told: list[int] = []
    with make(2) as workers:
        jobs = list(range(7))
        results = run(workers, tasks.double, jobs, on_progress=told.append)
        assert results == {position: 2 * job for position, job in enumerate(jobs)}
        assert told[-1] == sum(jobs)
        assert told == sorted(told)
        # Another round on the same processes starts to count again.
        told.clear()
        assert run(workers, tasks.double, [1, 9], on_progress=told.append) == {0: 2, 1: 18}
        assert told[-1] == 10
        assert run(workers, tasks.double, []) == {}


def test_a_stop_reaches_running_jobs_and_begins_no_new_ones(make: Make, tasks: ModuleType) -> None:
    told: list[int] = []
    with make(2) as workers:
        results = run(
            workers, tasks.until_stopped, list(range(5)), on_progress=told.append, should_stop=lambda: told[-1:] == [2]
        )
    assert results == {0: "job 0 stopped", 1: "job 1 stopped"}


def test_an_error_of_a_job_is_raised_here_once_the_others_have_stopped(
    make: Make, tasks: ModuleType, tmp_path: Path
) -> None:
    waited = tmp_path / "waited"
    expected = "message of RunFolderError: with (brackets) and 100%"
    with pytest.raises(errors.RunFolderError, match=re.escape(expected)) as caught, make(2) as workers:
        run(workers, tasks.fail_or_wait, [str(waited), "RunFolderError", "StoreError"])
    assert type(caught.value) is errors.RunFolderError
    assert waited.exists()


@pytest.mark.parametrize("make", ["local", pytest.param("ray", marks=pytest.mark.slow)], indirect=True)
def test_an_error_while_watching_stops_the_workers(make: Make, tasks: ModuleType) -> None:
    def interrupt(done: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), make(1) as workers:
        run(workers, tasks.until_stopped, [0, 1], on_progress=interrupt)


@pytest.mark.parametrize("make", ["local", pytest.param("ray", marks=pytest.mark.slow)], indirect=True)
def test_a_job_whose_process_dies_is_begun_again_until_it_is_given_up(
    make: Make, tasks: ModuleType, tmp_path: Path
) -> None:
    """It is handed to ``on_death``, which may end the run."""
    deaths: list[int] = []
    mark = tmp_path / "died"
    with make(2) as workers:
        results = run(
            workers,
            tasks.die_once,
            [(str(mark), 5), ("", 6), ("", 7)],
            on_death=lambda position, _: deaths.append(position),
        )
        assert results == {0: 5, 1: 6, 2: 7}
        assert deaths == [0]

        def give_up(position: int, how: str) -> None:
            raise TrainingError(f"job {position} died: {how}")

        mark.unlink()
        with pytest.raises(TrainingError, match=r"job 1 died: .*worker process.* died? .*--resume"):
            run(workers, tasks.die_once, [("", 6), (str(mark), 5)], on_death=give_up)
        assert run(workers, tasks.double, [1, 1]) == {0: 2, 1: 2}


@pytest.mark.parametrize("make", ["local", pytest.param("ray", marks=pytest.mark.slow)], indirect=True)
def test_a_job_whose_process_dies_every_time_is_an_error(make: Make, tasks: ModuleType) -> None:
    with make(1) as workers, pytest.raises(TrainingError, match=r"worker process(es of the Ray cluster)? die"):
        run(workers, tasks.die, ["kill"])

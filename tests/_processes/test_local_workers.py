"""Worker processes: results, progress, stops, and every way in which one side can die."""

import importlib
import multiprocessing
import os
import pickle
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from surrogate_nas import errors
from surrogate_nas._processes.local_workers import LocalWorkers, how_it_died
from surrogate_nas.errors import SurrogateNasError, TrainingError

HERE = Path(__file__).resolve().parent
PATIENCE_SECONDS = 60  # a process begins slowly on a busy machine


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Returns the tasks, under a name by which worker processes find them too."""
    monkeypatch.syspath_prepend(str(HERE))
    return importlib.import_module("worker_tasks")


def never() -> bool:
    return False


def ignore(*_: object) -> None:
    pass


def run(
    workers: LocalWorkers, task: Callable[..., Any], jobs: Sequence[object], **callbacks: Callable[..., Any]
) -> dict[int, Any]:
    results: dict[int, Any] = {}
    with_defaults: dict[str, Any] = {
        "on_result": results.__setitem__,
        "on_progress": ignore,
        "should_stop": never,
    } | callbacks
    workers.run(task, jobs, **with_defaults)
    return results


def test_processes_may_end_before_the_block(tasks: ModuleType) -> None:
    with LocalWorkers(1) as workers:
        run(workers, tasks.double, [1])
        (worker,) = multiprocessing.active_children()
        workers.close()
        assert not worker.is_alive()
        assert run(workers, tasks.double, [1, 9]) == {0: 2, 1: 18}


ERRORS = [name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, SurrogateNasError)]


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_survives_the_way_between_processes(name: str) -> None:
    error = getattr(errors, name)("the message")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == "the message"
    assert copy.exit_code == error.exit_code


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("exit", "a worker process died with exit code 3; look for a message of it above"),
        ("kill", "a worker process died by SIGKILL, most likely because memory ran out"),
    ],
    ids=["exit", "kill"],
)
@pytest.mark.parametrize("place", [0, 1])
def test_a_worker_that_dies_is_an_error_of_ours(
    tasks: ModuleType, tmp_path: Path, how: str, said: str, place: int
) -> None:
    """The others are asked to stop, and so can save."""
    waiting = tmp_path / "waiting"
    jobs = [f"{waiting}"]
    jobs.insert(place, how)
    with LocalWorkers(2) as workers:
        with pytest.raises(TrainingError, match=said):
            run(workers, tasks.die, jobs)
        # A new process has taken its place.
        assert run(workers, tasks.double, [1, 1]) == {0: 2, 1: 2}
    assert waiting.exists()


@pytest.mark.posix
def test_a_worker_that_died_between_two_runs_is_no_error(tasks: ModuleType) -> None:
    with LocalWorkers(1) as workers:
        run(workers, tasks.double, [1])
        (worker,) = multiprocessing.active_children()
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        worker.join(PATIENCE_SECONDS)
        time.sleep(0.5)  # until the pool knows
        assert run(workers, tasks.double, [2]) == {0: 4}


@pytest.mark.parametrize(
    ("exit_code", "said"),
    [
        (None, "a worker process died; run again"),
        (0, "exit code 0"),
        (-11, "by SIGSEGV"),
        (-9, "memory ran out; run again with --resume, and with fewer compute.processes"),
        (-99, "by signal 99"),
    ],
)
def test_memory_is_blamed_only_where_the_system_killed(exit_code: int | None, said: str) -> None:
    assert said in how_it_died(exit_code)
    assert ("memory" in how_it_died(exit_code)) == (exit_code == -9)


def test_no_process_begins_before_it_is_needed() -> None:
    with LocalWorkers(4) as workers:
        assert workers._pools == []


def wait_for(condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def held(path: Path) -> bool:
    """Returns whether a living process holds the lock; the system lets go of it however the process ends."""
    fcntl = pytest.importorskip("fcntl")
    if not path.exists() or not path.read_text():
        return False
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


Begin = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Begins a main process with two workers in a process group of its own, as a shell does: ``begin("hold")``."""
    begun: list[subprocess.Popen[str]] = []

    def start(task: str) -> "subprocess.Popen[str]":
        command = [sys.executable, str(HERE / "worker_tasks.py"), str(tmp_path), task]
        path = os.pathsep.join([str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")])
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": path},
            start_new_session=True,
        )
        begun.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in begun:
        # Workers that outlive the main process would keep its pipes open.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.mark.posix
def test_workers_end_with_a_main_process_that_is_killed(begin: Begin, tmp_path: Path) -> None:
    process = begin("hold")
    locks = [tmp_path / "0.lock", tmp_path / "1.lock"]
    assert wait_for(lambda: all(map(held, locks)))
    process.kill()
    process.wait()
    assert wait_for(lambda: not any(map(held, locks)), seconds=10)


@pytest.mark.posix
@pytest.mark.parametrize("delay_seconds", [0.0, 0.05, 0.15, None])
def test_an_interrupt_from_the_keyboard_stops_in_order(
    begin: Begin, tmp_path: Path, delay_seconds: float | None
) -> None:
    # The terminal signals the whole process group: workers too, even while they begin.
    process = begin("until_stopped")
    if delay_seconds is None:
        assert wait_for(lambda: (tmp_path / "progress").exists() and (tmp_path / "progress").read_text() == "2")
    else:
        time.sleep(delay_seconds)
    os.killpg(process.pid, signal.SIGINT)
    said, complaints = process.communicate(timeout=PATIENCE_SECONDS)
    assert complaints == ""
    assert process.returncode == 0
    # A stop before the first job finds nothing started.
    assert re.fullmatch(r"stopped by 2, results of (\[0, 1\]|\[\])\n", said)


@pytest.mark.posix
def test_a_termination_of_the_whole_group_is_a_stop_and_no_fault(begin: Begin, tmp_path: Path) -> None:
    process = begin("hold")
    assert wait_for(lambda: (tmp_path / "progress").exists() and (tmp_path / "progress").read_text() == "2")
    os.killpg(process.pid, signal.SIGTERM)
    said, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0
    assert said == "stopped by 15, results of []\n"


@pytest.mark.slow
def test_processes_end_side_by_side(tasks: ModuleType) -> None:
    workers = LocalWorkers(3)
    run(workers, tasks.end_slowly, [4.0, 4.0, 4.0])
    before = time.monotonic()
    workers.close()
    assert 4 <= time.monotonic() - before < 10  # one after another they take 12

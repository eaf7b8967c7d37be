"""Processes that train together: what they do alone, and what two of them do at once."""

import importlib
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from surrogate_nas._processes import process_group as module
from surrogate_nas._processes.local_workers import LocalWorkers
from surrogate_nas._processes.meeting import Meeting
from surrogate_nas._processes.process_group import Exchange, Processes, all_came
from surrogate_nas.errors import TrainingError

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def tasks() -> Iterator[ModuleType]:
    """Returns the tasks, under a name by which worker processes find them too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(HERE))
        yield importlib.import_module("group_tasks")


@pytest.fixture(scope="module")
def pool(tasks: ModuleType) -> Iterator[LocalWorkers]:
    with LocalWorkers(2) as workers:
        yield workers


def both(pool: LocalWorkers, task: Any, folder: Path, **callbacks: Any) -> list[Any]:  # noqa: ANN401 - tasks vary
    jobs = [Meeting(folder / "meeting", Processes(rank, 2)) for rank in range(2)]
    results: dict[int, Any] = {}
    others: dict[str, Any] = {"on_progress": lambda _: None, "should_stop": lambda: False} | callbacks
    pool.run(task, jobs, on_result=results.__setitem__, **others)
    return [results[position] for position in sorted(results)]


def test_alone_there_is_nothing_to_agree_on() -> None:
    alone = Processes()
    assert alone.is_first
    assert alone.agree(1.5, True) == (1.5, True)
    assert math.isnan(alone.agree(math.nan, False)[0])
    assert [alone.first_one_s(lambda: True), alone.first_one_s(lambda: False)] == [True, False]
    assert alone.are_at_one(4)
    numbers = torch.arange(3.0)
    alone.add_up([numbers])
    assert numbers.tolist() == [0.0, 1.0, 2.0]
    exchange = Exchange()
    assert exchange.add_up([numbers], [2.0]) == [2.0]
    assert [exchange.ends(False), exchange.ends(True), exchange.ends(False)] == [False, True, False]


def test_shares_make_up_the_batch() -> None:
    images, labels = torch.arange(10).view(10, 1), torch.arange(10)
    shares = [Processes(rank, 3).share(images, labels) for rank in range(3)]
    assert sorted(label for _, part in shares for label in part.tolist()) == list(range(10))
    assert all(torch.equal(one[:, 0], part) for one, part in shares)


@pytest.mark.slow
def test_two_processes_take_the_steps_of_one(pool: LocalWorkers, tasks: ModuleType, tmp_path: Path) -> None:
    """Without normalisations nothing differs but the order of additions; paths that rest stay as they are."""
    (first, losses), (second, same) = both(pool, tasks.train_together, tmp_path)
    alone, expected = tasks.train(Processes())
    assert losses == same
    assert [len(step) for step in losses] == [1, 2, 2, 1]
    for step, others in zip(losses, expected, strict=True):
        assert step == pytest.approx(others, rel=1e-6)
    for name, weight in alone.items():
        assert torch.equal(first[name], second[name]), name
        torch.testing.assert_close(first[name], weight, rtol=1e-5, atol=1e-6)
    begun = dict(tasks.Paths().named_parameters())
    assert not any(torch.equal(weight, begun[name]) for name, weight in first.items())


def test_two_processes_agree(pool: LocalWorkers, tasks: ModuleType, tmp_path: Path) -> None:
    """A wish of one before the second step is known to both before the third."""
    assert both(pool, tasks.tell, tmp_path) == [(True, False, [False, False, True, False])] * 2


@pytest.mark.slow
@pytest.mark.posix
def test_a_process_that_is_killed_is_known_to_the_other_at_once(tasks: ModuleType, tmp_path: Path) -> None:
    with LocalWorkers(2) as workers:
        begun = time.monotonic()

        def died(position: int, _how: str) -> None:
            assert position == 1
            raise TrainingError("died")

        with pytest.raises(TrainingError, match="died"):
            both(workers, tasks.die_within, tmp_path, on_death=died)
    assert time.monotonic() - begun < module.PATIENCE_SECONDS / 10


STOPS = """
import os, signal, sys, torch
from pathlib import Path
from surrogate_nas._processes.process_group import OthersEndedError, Processes, all_came, grouped
store = torch.distributed.FileStore(sys.argv[1], 2)
processes = Processes(int(sys.argv[2]), 2)
assert all_came(store, processes, lambda: False)
try:
    with grouped(processes, torch.device("cpu"), torch.distributed.PrefixStore("group", store), 3.0):
        processes.are_at_one(1)
        if not processes.is_first:
            Path(sys.argv[1] + ".pid").write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGSTOP)
        processes.are_at_one(2)
except OthersEndedError as error:
    print(error)
"""


@pytest.mark.slow
@pytest.mark.posix
def test_a_process_that_answers_no_more_is_waited_for_a_bounded_time(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STOPS, str(tmp_path / "meeting")]
    first, second = (subprocess.Popen([*command, rank], stdout=subprocess.PIPE, text=True) for rank in "01")
    try:
        said, _ = first.communicate(timeout=60)
        assert said == "another process of this training ended; start all of them again with --resume\n"
        assert first.returncode == 0
        assert second.poll() is None
    finally:
        second.send_signal(signal.SIGKILL)
        second.communicate()


def test_a_process_that_does_not_come_is_waited_for_a_bounded_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.3)
    store = torch.distributed.FileStore(str(tmp_path / "meeting"), 3)
    with pytest.raises(TrainingError, match=r"1 of 3 processes that train together came within 0\.3 seconds"):
        all_came(store, Processes(1, 3), lambda: False)
    assert all_came(torch.distributed.FileStore(str(tmp_path / "alone"), 1), Processes(0, 1), lambda: False)
    assert os.path.exists(tmp_path / "meeting")


def test_all_of_them_go_or_stop(tmp_path: Path) -> None:
    store = torch.distributed.FileStore(str(tmp_path / "meeting"), 3)
    assert not all_came(store, Processes(2, 3), lambda: True)
    # Who comes later does not wait for the one that left, although all have come.
    assert not all_came(store, Processes(1, 3), lambda: False)
    assert not all_came(store, Processes(0, 3), lambda: False)
    together = torch.distributed.FileStore(str(tmp_path / "together"), 2)
    torch.distributed.FileStore(str(tmp_path / "together"), 2).set("came/0", "here")
    assert all_came(together, Processes(1, 2), lambda: True)
    assert all_came(together, Processes(0, 2), lambda: True)

"""One process alone; several of them are tested where they train."""

import os
import socket
import subprocess
import sys

import pytest
import torch

from surrogate_nas._processes.process_group import Processes
from surrogate_nas.errors import TrainingError
from surrogate_nas.training import data_parallel as module
from surrogate_nas.training.data_parallel import joined, own_device, own_threads, processes_started


def test_alone_there_is_nobody_to_join(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined(torch.device("cpu")) as processes:
        assert processes == Processes(0, 1)


def test_torchrun_says_who_this_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "3")
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert processes_started() == Processes(3, 4)
    assert not processes_started().is_first
    assert own_device(torch.device("cpu")) == torch.device("cpu")
    monkeypatch.setenv("LOCAL_RANK", "99")
    with pytest.raises(TrainingError, match="process 99 of this machine has no GPU"):
        own_device(torch.device("cuda"))


@pytest.mark.parametrize(
    ("side", "environment", "expected"),
    [
        (32, {}, 8),
        (32, {"LOCAL_WORLD_SIZE": "3"}, 2),
        (32, {"LOCAL_WORLD_SIZE": "30"}, 1),
        (32, {"OMP_NUM_THREADS": "4"}, 4),
        (32, {"OMP_NUM_THREADS": "64"}, 8),
        (8, {}, 1),
    ],
)
def test_a_training_takes_its_share_of_the_processors(
    monkeypatch: pytest.MonkeyPatch, side: int, environment: dict[str, str], expected: int
) -> None:
    monkeypatch.setattr(module, "processor_count", lambda: 8)
    for name in ("LOCAL_WORLD_SIZE", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert own_threads(side) == expected


def test_others_that_cannot_be_reached_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    for name in ("RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(TrainingError, match="start them by torchrun"), joined(torch.device("cpu")):
        pass


DIES = """
import os, torch
from surrogate_nas.errors import TrainingError
from surrogate_nas.training.data_parallel import joined
try:
    with joined(torch.device("cpu")) as processes:
        processes.agree(1.0, False)
        if not processes.is_first:
            os._exit(9)
        for _ in range(3):
            processes.agree(1.0, False)
except TrainingError as error:
    print(error)
"""


@pytest.mark.slow
def test_a_process_that_dies_is_said_to_the_others_with_the_way_on() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {**os.environ, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    command, options = [sys.executable, "-c", DIES], {"stdout": subprocess.PIPE, "text": True}
    first, second = (subprocess.Popen(command, env={**shared, "RANK": rank}, **options) for rank in "01")  # type: ignore[call-overload]
    said, _ = first.communicate(timeout=120)
    assert said == "another process of this training ended; start all of them again with --resume\n"
    assert (first.wait(), second.wait()) == (0, 9)
    second.communicate()


def test_an_error_of_the_training_itself_stays_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    for name in ("init_process_group", "destroy_process_group"):
        monkeypatch.setattr(torch.distributed, name, lambda *_, **__: None)
    monkeypatch.setattr(module, "rendezvous", lambda *_, **__: iter([(None, 0, 2)]))
    monkeypatch.setattr(module, "all_came", lambda *_: True)
    with pytest.raises(RuntimeError, match="out of memory") as caught, joined(torch.device("cpu")):
        raise RuntimeError("out of memory")
    assert not isinstance(caught.value, TrainingError)


LEAVES = """
import sys, torch
from surrogate_nas._processes import process_group
from surrogate_nas.errors import SurrogateNasError
from surrogate_nas.training.data_parallel import joined
process_group.PATIENCE_SECONDS = float(sys.argv[1])
asked = iter(range(int(sys.argv[2])))
try:
    with joined(torch.device("cpu"), lambda: next(asked, None) is None):
        print("joined")
except SurrogateNasError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize(
    ("seconds", "questions", "expected"),
    [
        (1, 10**6, "TrainingError 1 of 2 processes that train together came within 1 seconds; start all of them again"),
        (600, 2, "Interrupted stopped while waiting for the other processes"),
    ],
)
def test_the_wait_for_processes_that_do_not_come_ends(seconds: float, questions: int, expected: str) -> None:
    """The store is torchrun's, which waits for nobody."""
    store = torch.distributed.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    port, own = str(store.port), {"TORCHELASTIC_USE_AGENT_STORE": "True", "WORLD_SIZE": "2", "RANK": "0"}
    shared = {**os.environ, **own, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    command = [sys.executable, "-c", LEAVES, str(seconds), str(questions)]
    done = subprocess.run(command, env=shared, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith(expected)

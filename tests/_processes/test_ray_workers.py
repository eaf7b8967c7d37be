"""Workers of a Ray cluster: machines that cannot do the work, die, or come late."""

import importlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from surrogate_nas._processes import ray_workers as module
from surrogate_nas._processes.cluster_machine import versions
from surrogate_nas._processes.ray_workers import RayWorkers, Share
from surrogate_nas.errors import SettingsError, TrainingError
from tests.fixtures.ray_cluster import FarMachine, machines_alive

HERE = Path(__file__).resolve().parent
CUT_OFF_SECONDS = 180.0  # Ray gives a machine up after some 75 seconds, on a busy machine later
MakeRayWorkers = Callable[..., RayWorkers]


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Returns the tasks, under a name by which worker processes find them too."""
    monkeypatch.syspath_prepend(str(HERE))
    return importlib.import_module("worker_tasks")


def run(workers: RayWorkers, task: Callable[..., Any], jobs: list[Any], **callbacks: Callable[..., Any]) -> list[Any]:
    results: dict[int, Any] = {}
    others: dict[str, Any] = {"on_progress": lambda _: None, "should_stop": lambda: False} | callbacks
    workers.run(task, jobs, on_result=results.__setitem__, **others)
    return [results[position] for position in sorted(results)]


@pytest.mark.slow
def test_as_many_as_the_cluster_has_room_for(ray_workers: MakeRayWorkers) -> None:
    with ray_workers(None) as one:
        assert one.processes == 4
    with ray_workers(None, share=Share(processors=2)) as two:
        assert two.processes == 2


@pytest.mark.slow
def test_machines_with_another_version_are_refused(
    ray_workers: MakeRayWorkers, tasks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = versions()
    monkeypatch.setattr(module, "versions", lambda: here | {"torch": "0.1"})
    with ray_workers(1) as workers, pytest.raises(SettingsError, match=r"torch is .* on .*, and 0\.1 here; install"):
        run(workers, tasks.double, [1])


@pytest.mark.slow
def test_machines_that_do_not_see_the_folder_of_the_run_are_refused(
    ray_workers: MakeRayWorkers, tasks: ModuleType, tmp_path: Path
) -> None:
    missing = tmp_path / "elsewhere" / "study.toml"
    with ray_workers(1, missing) as workers, pytest.raises(SettingsError, match=r"does not see .*study\.toml; put"):
        run(workers, tasks.double, [1])


@pytest.mark.slow
def test_a_cluster_without_room_is_waited_for_and_then_an_error(
    ray_workers: MakeRayWorkers, tasks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 1.0)
    with (
        ray_workers(1, share=Share(processors=64)) as workers,
        pytest.raises(TrainingError, match="no machine of the Ray cluster had 64 free processors"),
    ):
        run(workers, tasks.double, [1])


@pytest.mark.slow
def test_workers_that_cannot_begin_say_why(
    ray_workers: MakeRayWorkers, tasks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unfit:
        def __init__(self, *_: object) -> None:
            raise ModuleNotFoundError("No module named 'surrogate_nas'")

        def refusal(self, *_: object) -> None:
            """Is never asked."""

    monkeypatch.setattr(module, "RayMachine", Unfit)
    with (
        ray_workers(1) as workers,
        pytest.raises(
            TrainingError, match=r"cannot begin: ModuleNotFoundError: No module named 'surrogate_nas'; look at `ray"
        ),
    ):
        run(workers, tasks.double, [1, 2])


@pytest.mark.slow
def test_a_machine_that_joins_later_is_used_too(
    ray_cluster: Any,  # noqa: ANN401 - Ray is an optional package
    ray_workers: MakeRayWorkers,
    tasks: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_COUNT_SECONDS", 0.0)
    with ray_workers(None) as workers:
        before = workers.processes
        machine = ray_cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20)
        try:
            run(workers, tasks.double, [1, 2])
            assert workers.processes == before + 1
        finally:
            ray_cluster.remove_node(machine)


@pytest.mark.slow
def test_jobs_of_a_machine_that_dies_are_done_elsewhere_and_a_late_one_helps(
    ray_cluster: Any,  # noqa: ANN401 - Ray is an optional package
    ray_workers: MakeRayWorkers,
    tasks: ModuleType,
) -> None:
    with ray_workers(5) as workers:
        dead = ray_cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20)
        killed: list[float] = []

        def kill(progress: int) -> None:
            if progress >= 5 and not killed:
                killed.append(time.monotonic())
                ray_cluster.remove_node(dead, allow_graceful=False)
                ray_cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20)

        assert run(workers, tasks.count_to, [40] * 5, on_progress=kill) == [40] * 5
        assert killed


@pytest.mark.slow
def test_jobs_and_results_larger_than_a_full_object_store_come_through(
    ray_cluster: Any,  # noqa: ANN401 - Ray is an optional package
    ray_workers: MakeRayWorkers,
    tasks: ModuleType,
) -> None:
    """Objects that others hold fill every store; Ray moves what does not fit to the disk."""
    with ray_workers(2) as workers:
        held = [workers._ray.put(bytes(19 * 2**20)) for _ in range(8)]  # twice the store of a machine
        results = run(workers, tasks.bytes_of, [bytes(25 * 2**20)] * 6)
        assert results == [bytes(25 * 2**20)] * 6
        assert len(held) == 8


@pytest.mark.slow
@pytest.mark.posix
def test_a_slow_machine_does_fewer_jobs_and_holds_up_no_other(
    ray_workers: MakeRayWorkers, tasks: ModuleType, tmp_path: Path
) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    with ray_workers(2) as workers:
        frozen: list[int] = []

        def freeze(progress: int) -> None:
            if progress >= 6 and not frozen:
                frozen.append(int(min(mark.name.split(".")[0] for mark in marks.iterdir())))
                os.kill(frozen[0], signal.SIGSTOP)
            # As much as the other one does in the time of nearly all jobs.
            elif frozen and len(list(marks.iterdir())) == 8:
                os.kill(frozen[0], signal.SIGCONT)

        did = run(workers, tasks.count_and_sign, [(str(marks), 20)] * 8, on_progress=freeze)
    assert len(did) == 8
    assert did.count(frozen[0]) == 1


@pytest.mark.slow
@pytest.mark.posix
def test_a_machine_that_is_cut_off_is_done_without_and_its_late_results_do_not_count(
    far_cluster: tuple[Any, FarMachine], tasks: ModuleType, tmp_path: Path
) -> None:
    """Its processes run on. It is connected again while the others still work, and has results by then."""
    cluster, far = far_cluster
    (tmp_path / "witness").touch()
    marks = tmp_path / "marks"
    marks.mkdir()
    cut, over, came = list[float](), list[float](), list[int]()
    results: dict[int, int] = {}

    def result(position: int, process: int) -> None:
        came.append(position)
        results[position] = process

    def watch(progress: int) -> None:
        begun = {int(mark.name.split(".")[0]) for mark in marks.iterdir()}
        if not cut and progress >= 4 and begun & far.processes:
            far.cut_off()
            cut.append(time.monotonic())
        elif cut and not over and machines_alive(cluster) < 2:
            far.connect()
            over.append(time.monotonic())

    with RayWorkers(cluster.address, 2, Share(), tmp_path / "witness") as workers:
        workers.run(
            tasks.count_and_sign,
            [(str(marks), 100)] * 6,
            on_result=result,
            on_progress=watch,
            should_stop=lambda: False,
        )
    assert sorted(came) == list(range(6))
    assert len(set(results.values())) == 1
    assert over
    assert over[0] - cut[0] < CUT_OFF_SECONDS


@pytest.mark.slow
def test_processes_share_a_gpu_of_the_cluster(tasks: ModuleType, tmp_path: Path) -> None:
    """Ray counts a GPU that the machine is said to have, and gives its number to two processes."""
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    (tmp_path / "witness").touch()
    machine: dict[str, Any] = {"num_cpus": 4, "num_gpus": 1, "object_store_memory": 80 * 2**20}
    cluster = Cluster(initialize_head=True, head_node_args=machine | {"include_dashboard": False})
    try:
        with RayWorkers(cluster.address, None, Share(gpus=0.5), tmp_path / "witness") as workers:
            assert workers.processes == 2
            assert run(workers, tasks.visible_gpus, [0, 0]) == ["0", "0"]
    finally:
        cluster.shutdown()


@pytest.mark.slow
def test_a_machine_outside_the_cluster_connects_as_a_client(
    tasks: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    # The server of clients reads jobs too, and finds the tasks as it would find an installed package.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]))
    from ray.cluster_utils import Cluster

    (tmp_path / "witness").touch()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    machine: dict[str, Any] = {"num_cpus": 2, "object_store_memory": 80 * 2**20, "ray_client_server_port": port}
    cluster = Cluster(initialize_head=True, head_node_args=machine | {"include_dashboard": False})
    try:
        mark, deadline = str(tmp_path / "died"), time.monotonic() + 60
        while socket.socket().connect_ex(("127.0.0.1", port)):
            assert time.monotonic() < deadline, "the server of clients did not begin"
            time.sleep(0.2)
        with RayWorkers(f"ray://127.0.0.1:{port}", 2, Share(), tmp_path / "witness") as workers:
            assert run(workers, tasks.die_once, [(mark, 5), ("", 6), ("", 7)]) == [5, 6, 7]
    finally:
        cluster.shutdown()


@pytest.mark.slow
def test_two_runs_on_one_cluster_share_it(ray_workers: MakeRayWorkers, tasks: ModuleType, tmp_path: Path) -> None:
    """The second run is of another process, as a process has one connection."""
    import subprocess

    script = tmp_path / "other.py"
    script.write_text(OTHER, encoding="utf-8")
    with ray_workers(2) as workers:
        other: subprocess.Popen[str] | None = None

        def begin(_progress: int) -> None:
            nonlocal other
            if other is None:
                address = workers._ray.get_runtime_context().gcs_address
                words = [sys.executable, str(script), address, str(HERE), str(tmp_path / "witness")]
                other = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)

        assert run(workers, tasks.count_to, [100, 100, 100], on_progress=begin) == [100] * 3
        assert other is not None
        said, _ = other.communicate(timeout=120)
        assert said.split() == ["3", "3"]


OTHER = """
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[2])
import worker_tasks
from surrogate_nas._processes.ray_workers import RayWorkers, Share

with RayWorkers(sys.argv[1], 2, Share(), Path(sys.argv[3])) as workers:
    workers.run(
        worker_tasks.count_to,
        [3, 3],
        on_result=lambda _, result: print(result),
        on_progress=lambda _: None,
        should_stop=lambda: False,
    )
"""

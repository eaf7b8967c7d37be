"""Compares worker processes of this machine with workers of a Ray cluster of two machines, both on this one.

python -m benchmarks.cluster --tasks 4 --seconds 60 --workers 1,2,4

Every task computes for some seconds on one processor. The table has the seconds by the clock of all tasks, and for the
cluster the time that one machine which is killed half-way costs. Run it with nothing else on the machine.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.number_lists import numbers
from surrogate_nas._processes.local_workers import LocalWorkers
from surrogate_nas._processes.ray_workers import RayWorkers, Share
from surrogate_nas._support.optional import require_package
from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.errors import SettingsError

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
_MEMORY = 80 * 2**20  # bytes of each machine's object store


def compute(job: float, report: Callable[[int], None], stopped: Callable[[], bool]) -> int:
    """Multiplies matrices for ``job`` seconds of a processor; returns how often."""
    matrix, times, begun = np.ones((200, 200)), 0, time.process_time()
    while time.process_time() - begun < job and not stopped():
        matrix @ matrix
        times += 1
        report(int(time.process_time() - begun))
    return times


def _ignored(position: int, times: int) -> None:
    del position, times


def timed(workers: LocalWorkers | RayWorkers, tasks: int, seconds: float, on_progress: Callable[[int], None]) -> float:
    """Returns the seconds of all tasks by the clock, once the processes have begun."""
    workers.run(
        compute,
        [0.01] * workers.processes,
        on_result=_ignored,
        on_progress=lambda _: None,
        should_stop=lambda: False,
    )
    begun = time.monotonic()
    workers.run(compute, [seconds] * tasks, on_result=_ignored, on_progress=on_progress, should_stop=lambda: False)
    return time.monotonic() - begun


class TwoMachines:
    """A cluster of two machines on this one, the second of which can be killed.

    Args:
        processors: Processors of each.
    """

    def __init__(self, processors: int) -> None:
        require_package("ray", "clusters", SettingsError)
        from ray.cluster_utils import Cluster

        machine: dict[str, Any] = {"num_cpus": processors, "object_store_memory": _MEMORY}
        self._cluster = Cluster(initialize_head=True, head_node_args=machine | {"include_dashboard": False})
        self._second: Any = self._cluster.add_node(**machine)

    @property
    def address(self) -> str:
        """Address of the first one."""
        return str(self._cluster.address)

    def kill(self) -> None:
        """Kills the second one."""
        if self._second is not None:
            self._cluster.remove_node(self._second, allow_graceful=False)
            self._second = None

    def end(self) -> None:
        """Ends both."""
        self._cluster.shutdown()


@app.command(name="cluster")
def compare(
    tasks: Annotated[int, typer.Option(min=1, help="Number of tasks.")] = 4,
    seconds: Annotated[float, typer.Option(min=0.01, help="Processor seconds of each.")] = 60.0,
    workers: Annotated[str, typer.Option(help="Numbers of worker processes, with commas.")] = "1,2",
) -> None:
    """Prints the table."""
    counts = numbers("--workers", workers, "1,2")
    say("| workers | local (s) | Ray (s) | overhead | a machine killed half-way (s) |")
    say("| ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as place:
        witness = Path(place) / "witness"
        witness.touch()
        for count in counts:
            with LocalWorkers(count) as local:
                here = timed(local, tasks, seconds, lambda _: None)
            there, killed = on_two_machines(count, tasks, seconds, witness)
            cells = [f"{count}", f"{here:.1f}", f"{there:.1f}", f"{100 * (there / here - 1):.1f}%"]
            say(f"| {' | '.join([*cells, '-' if killed is None else f'{killed:.1f}'])} |")


def on_two_machines(count: int, tasks: int, seconds: float, witness: Path) -> tuple[float, float | None]:
    """Returns the seconds of all tasks on a cluster, and with a machine killed half-way where there are two workers."""
    cluster = TwoMachines(-(-count // 2))

    def kill_at_half(done: int) -> None:
        if done >= tasks * seconds / 2:
            cluster.kill()

    try:
        with RayWorkers(cluster.address, count, Share(), witness) as ray_workers:
            calm = timed(ray_workers, tasks, seconds, lambda _: None)
            return calm, timed(ray_workers, tasks, seconds, kill_at_half) if count > 1 else None
    finally:
        cluster.end()


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; gives its exit code."""
    return run_command(app, "python -m benchmarks.cluster", arguments)


if __name__ == "__main__":
    sys.exit(main())

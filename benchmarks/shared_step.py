"""Times a training step of a supernet in one process and in several that share every batch.

python -m benchmarks.shared_step --processes 1,2

Every process has one thread. A step of several processes has the images of one batch between them, and the sum of
their gradients.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, NamedTuple

import numpy as np
import torch
import typer

from benchmarks.number_lists import numbers
from surrogate_nas._processes.allocator import keep_freed_memory
from surrogate_nas._processes.local_workers import LocalWorkers
from surrogate_nas._processes.meeting import Meeting
from surrogate_nas._processes.process_group import Exchange, Processes
from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.errors import SettingsError
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.supernet.rules.momenta import Momenta
from surrogate_nas.supernet.rules.step_plan import Step
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.supernet.shared_network import SharedNetwork, initialise
from surrogate_nas.supernet.training import train_step

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class StepJob:
    """Steps that one process takes, alone or with others.

    Attributes:
        network: Sizes of the supernet of NAS-Bench-201.
        batch: Images of a step, of all processes.
        subnets: Random subnets to average over; the same ones in all processes.
        repeats: Steps of every subnet, of which the median counts.
        meeting: Where the processes meet.
    """

    network: NetworkSpec
    batch: int
    subnets: int
    repeats: int
    meeting: Meeting


class Taken(NamedTuple):
    """Time of a step in one process.

    Attributes:
        clock_ms: Milliseconds by the clock.
        processor_ms: Milliseconds of a processor, which other work on the machine lengthens less.
        thousands: Numbers that it sends, in thousands.
    """

    clock_ms: float
    processor_ms: float
    thousands: float


def step_taken(job: StepJob, report: Callable[[int], None], stopped: Callable[[], bool]) -> Taken:
    """Returns what a step takes of this process, by means over the subnets."""
    torch.set_num_threads(1)
    keep_freed_memory()
    space, processes = load_space("nasbench201"), job.meeting.processes
    network = SharedNetwork(space, job.network)
    initialise(network, 0)
    network.to(memory_format=torch.channels_last)
    momenta, exchange = Momenta(network, SupernetSettings()), Exchange(processes, 1 / processes.count)
    images = torch.randn(job.batch, 3, job.network.image_size, job.network.image_size)[processes.part]
    images, labels = images.contiguous(memory_format=torch.channels_last), torch.randint(10, (len(images),))
    codes = space.all_codes()
    codes = codes[space.is_connected(codes)]
    codes = codes[np.random.default_rng(0).integers(len(codes), size=job.subnets)]
    times, works, sent = [], [], []
    with job.meeting.held(_CPU, stopped):
        for done, code in enumerate(codes.tolist()):
            step, spent, worked = Step((tuple(code),), 0.01, (1.0,), (0,)), [], []
            for _ in range(job.repeats):
                began, work = time.perf_counter(), time.process_time()
                train_step(network, momenta, step, images, labels, 5.0, exchange=exchange)
                spent.append(time.perf_counter() - began)
                worked.append(time.process_time() - work)
            times.append(median(spent))
            works.append(median(worked))
            sent.append(sum(weight.numel() for weight in momenta.parameters if weight.grad is not None))
            report(done + 1)
    shared = float(np.mean(sent)) / 1e3 if processes.count > 1 else 0.0
    return Taken(1e3 * float(np.mean(times)), 1e3 * float(np.mean(works)), shared)


@app.command()
def shared_step(
    processes: Annotated[str, typer.Option(help="Numbers of processes, with commas.")] = "1,2",
    sizes: Annotated[str, typer.Option(help="Channels, cells and pixels of supernets.")] = "8x1x16,16x5x32,32x3x64",
    batch: Annotated[int, typer.Option(min=2, help="Images of a step.")] = 64,
    subnets: Annotated[int, typer.Option(min=1, help="Random subnets to average over.")] = 10,
    repeats: Annotated[int, typer.Option(min=1, help="Steps of every subnet, of which the median counts.")] = 3,
) -> None:
    """Prints the table; nothing else should run on the machine."""
    counts = numbers("--processes", processes, "1,2")
    if 2 * max(counts) > batch:
        raise SettingsError(f"--processes must be 1 to {batch // 2}, half of --batch (got {processes!r})")
    asked = [numbers("--sizes", size, "8x1x16", "x") for size in sizes.split(",")]
    say("| channels | cells | pixels | processes | step (ms) | processor of each (ms) | thousand numbers sent |")
    say("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as place, LocalWorkers(max(counts)) as workers:
        for channels, cells, pixels in asked:
            for count in counts:
                meetings = [Meeting()]
                if count > 1:
                    meetings = [
                        Meeting(Path(place) / f"{channels}x{cells}x{pixels}-{count}", Processes(rank, count))
                        for rank in range(count)
                    ]
                network = NetworkSpec(channels, cells, pixels)
                jobs = [StepJob(network, batch, subnets, repeats, meeting) for meeting in meetings]
                results: dict[int, Taken] = {}
                workers.run(
                    step_taken,
                    jobs,
                    on_result=results.__setitem__,
                    on_progress=lambda _: None,
                    should_stop=lambda: False,
                )
                cells_of_row = [channels, cells, pixels, count, *(f"{number:.1f}" for number in results[0])]
                say(f"| {' | '.join(map(str, cells_of_row))} |")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; gives its exit code."""
    return run_command(app, "python -m benchmarks.shared_step", arguments)


if __name__ == "__main__":
    sys.exit(main())

"""Tasks of processes that train together, in a module that worker processes can import."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from surrogate_nas._processes.meeting import Meeting
from surrogate_nas._processes.process_group import Exchange, OthersEndedError, Processes
from surrogate_nas.errors import TrainingError
from surrogate_nas.supernet.rules.momenta import Momenta
from surrogate_nas.supernet.rules.step_plan import Step
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.supernet.training import TrainingJob, train_step

Report = Callable[[int], None]
Stopped = Callable[[], bool]
CPU = torch.device("cpu")
# Each step draws other paths, some leave out a layer that the step before had, and one has two groups of momenta.
STEPS = (
    Step(((0,),), 0.1, (1.0,), (0,)),
    Step(((1,), (2,)), 0.1, (1.0, 0.5), (0, 0)),
    Step(((0,), (2,)), 0.05, (1.0, 1.0), (0, 1), teacher=0, distillation=0.7),
    Step(((1,),), 0.1, (1.0,), (1,)),
)


class Paths(nn.Module):
    """Three paths of which a code chooses one, without any normalisation."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.paths = nn.ModuleList(nn.Conv2d(1, 3, size, padding=size // 2) for size in (1, 3, 5))
        self.last = nn.Linear(3, 4)

    def forward(self, images: Tensor, code: Sequence[int]) -> Tensor:
        scores: Tensor = self.last(self.paths[code[0]](images).tanh().mean(dim=(2, 3)))
        return scores


def images() -> tuple[Tensor, Tensor]:
    """Returns a batch whose parts are not of one size."""
    return torch.randn(7, 1, 6, 6, generator=torch.Generator().manual_seed(1)), torch.arange(7) % 4


def train(processes: Processes) -> tuple[dict[str, Tensor], list[list[float]]]:
    """Trains all steps with a small limit of gradients; returns the weights, and the losses of each step."""
    torch.set_num_threads(1)
    network, (pixels, labels) = Paths(), images()
    momenta = Momenta(network, SupernetSettings(), groups=2)
    mine = processes.share(pixels, labels)
    exchange = Exchange(processes, len(mine[1]) / len(labels))
    losses = [train_step(network, momenta, step, *mine, 0.5, exchange=exchange) for step in STEPS]
    return {name: tensor.detach() for name, tensor in network.named_parameters()}, losses


def train_together(job: Meeting, report: Report, stopped: Stopped) -> tuple[dict[str, Tensor], list[list[float]]]:
    with job.held(CPU, stopped) as came:
        assert came
        return train(job.processes)


def tell(job: Meeting, report: Report, stopped: Stopped) -> tuple[bool, bool, list[bool]]:
    """Returns whether a number is that of all, and whether another one is; and what ends after whose wish."""
    with job.held(CPU, stopped) as came:
        assert came
        exchange, ends = Exchange(job.processes, 0.5), list[bool]()
        for step in range(4):
            ends.append(exchange.ends(step == 1 and not job.processes.is_first))
            exchange.add_up([], [1.0])
        return job.processes.are_at_one(5), job.processes.are_at_one(job.processes.rank), ends


def die_within(job: Meeting, report: Report, stopped: Stopped) -> str:
    """Ends the second process for good, and returns what the first one meets."""
    try:
        with job.held(CPU, stopped):
            if not job.processes.is_first:
                os.kill(os.getpid(), signal.SIGKILL)
            job.processes.are_at_one(1)
    except OthersEndedError as error:
        return str(error)
    return "nothing"


@dataclass(frozen=True)
class Failing:
    """A training in which one process fails, and takes its time to end."""

    rank: int

    def __call__(self, job: TrainingJob, report: Report, stopped: Stopped) -> bool:
        report(0)
        with job.meeting.held(CPU, stopped):
            if job.meeting.processes.rank != self.rank:
                return job.meeting.processes.are_at_one(1)
        time.sleep(0.5)
        raise TrainingError(f"no room left for {self.rank}")

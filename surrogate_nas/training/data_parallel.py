"""Trains one network in several processes, started by torchrun: each takes a part of every batch.

torchrun sets rank and count of its processes by environment variables; without it there is one process.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed

from surrogate_nas._support.processors import processor_count
from surrogate_nas._support.words import first_line
from surrogate_nas.errors import TrainingError

_LEAST_SHARED = 16


@dataclass(frozen=True)
class Processes:
    """This process among the processes that train together.

    Attributes:
        rank: Number of this process, from 0; the first one writes files and messages.
        count: Number of processes.
    """

    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """True if this process writes files and messages."""
        return self.rank == 0

    def share(self, images: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns this process's part of a batch: the rows rank, rank + count, ..."""
        return images[self.rank :: self.count], labels[self.rank :: self.count]

    def agree(self, loss: float, stop: bool) -> tuple[float, bool]:
        """Returns the mean loss of all processes, and whether any was asked to stop; all must call it at once."""
        if self.count == 1:
            return loss, stop
        told = torch.tensor([loss / self.count, float(stop)], device=_device(), dtype=torch.float64)
        torch.distributed.all_reduce(told)
        return float(told[0]), bool(told[1] > 0)

    def first_one_s(self, decide: Callable[[], bool]) -> bool:
        """Returns a decision that the first process makes for all; all must call it at once."""
        if self.count == 1:
            return decide()
        decision = torch.tensor([decide() if self.is_first else False], dtype=torch.uint8, device=_device())
        torch.distributed.broadcast(decision, 0)
        return bool(decision[0])


def processes_started() -> Processes:
    """Returns the description of this process by torchrun, before it has joined the others."""
    return Processes(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))


def own_device(device: torch.device) -> torch.device:
    """Returns the device of this process: on GPUs, each process of a machine has its own.

    Raises:
        TrainingError: If the machine has fewer GPUs than processes.
    """
    if device.type != "cuda" or processes_started().count == 1:
        return device
    index = int(os.environ.get("LOCAL_RANK", "0"))
    if index >= torch.cuda.device_count():
        raise TrainingError(
            f"process {index} of this machine has no GPU of its own (the machine has"
            f" {torch.cuda.device_count()}); start as many processes as GPUs by torchrun --nproc-per-node"
        )
    return torch.device("cuda", index)


def own_threads(image_size: int) -> int:
    """Returns the CPU threads for a training of this process.

    It is the process's share of the processors, or ``OMP_NUM_THREADS`` if that is fewer. Layers of images of few pixels
    are too little work to be shared: threads would wait for each other most of the time.

    Args:
        image_size: Side of the images in pixels.
    """
    if image_size < _LEAST_SHARED:
        return 1
    shared = processor_count() // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(shared, int(allowed) if allowed.isdecimal() else shared))


@contextmanager
def joined(device: torch.device) -> Iterator[Processes]:
    """Joins the processes that torchrun started for the length of a block; a single process does nothing.

    Raises:
        TrainingError: If the others cannot be reached, or one of them ends before the block does.
    """
    processes = processes_started()
    if processes.count == 1:
        yield processes
        return
    options: dict[str, Any] = {}
    if device.type == "cuda":
        torch.cuda.set_device(device)
        options["device_id"] = device
    try:
        torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", **options)
    except (RuntimeError, ValueError) as error:
        reason = first_line(error)
        raise TrainingError(f"the processes cannot reach each other: {reason}; start them by torchrun") from None
    try:
        yield processes
    except RuntimeError as error:
        if not (isinstance(error, torch.distributed.DistError) or "gloo" in str(error)):
            raise
        raise TrainingError("another process of this training ended; start all of them again with --resume") from None
    finally:
        torch.distributed.destroy_process_group()


def _device() -> torch.device:
    """Returns the device of what processes tell each other."""
    on_gpu = torch.distributed.get_backend() == "nccl"
    return torch.device("cuda", torch.cuda.current_device()) if on_gpu else torch.device("cpu")

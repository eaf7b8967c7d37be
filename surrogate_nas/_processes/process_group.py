"""Processes that train one network together: all of them take the same steps, each on its part of every batch.

A step's gradients are added up by one call of our own and not by ``DistributedDataParallel``. Which weights a step
touches follows from the architectures that it draws, and these are the same in all processes: nothing has to be
searched for, weights that a step leaves alone keep no gradient, and they are not sent either.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import torch
import torch.distributed
from torch import Tensor

from surrogate_nas._support.words import count_of, first_line
from surrogate_nas.errors import TrainingError

PATIENCE_SECONDS = 600.0
"""Seconds that processes wait for each other: to come together, and in a step."""

_ASK_SECONDS = 0.1
_DECIDED, _COME = "decided", "all came"


class OthersEndedError(TrainingError):
    """Another process of the training has ended, or does not answer any more."""


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

    @property
    def part(self) -> slice:
        """Rows of a batch that are this process's: rank, rank + count, ..."""
        return slice(self.rank, None, self.count)

    def share(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Returns this process's part of a batch: the rows rank, rank + count, ..."""
        return images[self.part], labels[self.part]

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

    def are_at_one(self, number: int) -> bool:
        """Returns whether all processes have the same number; all must call it at once."""
        if self.count == 1:
            return True
        ends = torch.tensor([number, -number], device=_device())
        torch.distributed.all_reduce(ends, torch.distributed.ReduceOp.MAX)
        return bool(ends.sum() == 0)

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Replaces float32 tensors by their sums over all processes.

        All must call it at once, with tensors of the same shapes on their device.
        """
        if self.count == 1:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        torch.distributed.all_reduce(flat)
        for tensor, summed in zip(tensors, torch.split(flat, [each.numel() for each in tensors]), strict=True):
            tensor.copy_(summed.view(tensor.shape))


@dataclass
class Exchange:
    """The words of processes that train together in every step: gradients, losses, and the wish to stop.

    Attributes:
        processes: The processes.
        share: This process's share of the images of a batch, by which its losses and gradients count.
    """

    processes: Processes = field(default_factory=Processes)
    share: float = 1.0
    _wishes: bool = False
    _agreed: bool = False

    def ends(self, wish: bool) -> bool:
        """Returns whether to stop before the next step; several processes stop after the step that tells the wish."""
        self._wishes = wish
        return wish if self.processes.count == 1 else self._agreed

    def add_up(self, gradients: Sequence[Tensor], losses: list[float]) -> list[float]:
        """Replaces gradients by their sums over all processes.

        Args:
            gradients: Gradients of this process's losses, float32.
            losses: Losses of this process, times its share.

        Returns:
            The losses of whole batches.
        """
        if self.processes.count == 1:
            return losses
        numbers = torch.tensor([*losses, float(self._wishes)], device=_device())
        self.processes.add_up([*gradients, numbers])
        *losses, wishes = numbers.tolist()
        self._agreed = wishes > 0
        return losses


def all_came(store: Any, processes: Processes, stopped: Callable[[], bool]) -> bool:  # noqa: ANN401 - torch's is untyped
    """Waits for all processes at a store of ``torch.distributed``; returns whether they came before a stop.

    All of them return the same: the first one that knows decides. Otherwise one that leaves at a stop would be waited
    for by the ones that come later.

    Raises:
        TrainingError: If one of them does not come.
    """
    names = [f"came/{rank}" for rank in range(processes.count)]
    store.set(names[processes.rank], "here")
    begun = time.monotonic()
    while not store.check([_DECIDED]):
        if (come := store.check(names)) or stopped():
            store.compare_set(_DECIDED, "", _COME if come else "a stop came first")
            break
        if time.monotonic() - begun > PATIENCE_SECONDS:
            came = sum(store.check([name]) for name in names)
            raise TrainingError(
                f"{came} of {count_of(processes.count, 'process', 'processes')} that train together came within"
                f" {PATIENCE_SECONDS:g} seconds; start all of them again with --resume, on machines with room for all"
            )
        time.sleep(_ASK_SECONDS)
    return bool(store.get(_DECIDED) == _COME.encode())


@contextmanager
def grouped(
    processes: Processes,
    device: torch.device,
    store: Any,  # noqa: ANN401 - as above
    seconds: float = PATIENCE_SECONDS,
) -> Iterator[None]:
    """Joins processes that all came to a store, for the length of a block.

    They talk by NCCL on GPUs, and by gloo on processors.

    Args:
        processes: The processes.
        device: Device of this one.
        store: A store of ``torch.distributed``.
        seconds: Longest time that one of them lets the others wait for it.

    Raises:
        TrainingError: If the others cannot be reached.
        OthersEndedError: If one of them ends before the block does.
    """
    options: dict[str, Any] = {"timeout": timedelta(seconds=seconds)}
    if device.type == "cuda":
        device = torch.device("cuda", torch.cuda.current_device() if device.index is None else device.index)
        torch.cuda.set_device(device)
        options["device_id"] = device
    backend = "nccl" if device.type == "cuda" else "gloo"
    try:
        torch.distributed.init_process_group(
            backend, store=store, rank=processes.rank, world_size=processes.count, **options
        )
    except (RuntimeError, ValueError) as error:
        raise TrainingError(f"the processes cannot reach each other: {first_line(error)}") from None
    try:
        yield
    except RuntimeError as error:
        if not (isinstance(error, torch.distributed.DistError) or "gloo" in str(error)):
            raise
        raise OthersEndedError(
            "another process of this training ended; start all of them again with --resume"
        ) from None
    finally:
        torch.distributed.destroy_process_group()


def _device() -> torch.device:
    """Returns the device of what processes tell each other."""
    on_gpu = torch.distributed.get_backend() == "nccl"
    return torch.device("cuda", torch.cuda.current_device()) if on_gpu else torch.device("cpu")

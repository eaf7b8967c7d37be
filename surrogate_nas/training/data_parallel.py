"""Trains one network in several processes, started by torchrun: each takes a part of every batch.

torchrun sets rank and count of its processes by environment variables; without it there is one process.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch.distributed.rendezvous import rendezvous

from surrogate_nas._processes.process_group import PATIENCE_SECONDS, Processes, all_came, grouped
from surrogate_nas._support.processors import processor_count
from surrogate_nas._support.words import first_line
from surrogate_nas.errors import Interrupted, TrainingError

_LEAST_SHARED = 16
_LONE_SECONDS = 1800.0  # the first process judges the test images while the others wait


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
def joined(device: torch.device, stopped: Callable[[], bool] = lambda: False) -> Iterator[Processes]:
    """Joins the processes that torchrun started for the length of a block; a single process does nothing.

    Args:
        device: Device of this process.
        stopped: Asked while the others are waited for.

    Raises:
        Interrupted: If a stop was requested before all of them came.
        TrainingError: If the others cannot be reached, do not come, or one of them ends before the block does.
    """
    processes = processes_started()
    if processes.count == 1:
        yield processes
        return
    try:
        found = rendezvous("env://", timeout=timedelta(seconds=PATIENCE_SECONDS))
        store, _, _ = next(found)
    except (RuntimeError, ValueError) as error:
        reason = first_line(error)
        raise TrainingError(f"the processes cannot reach each other: {reason}; start them by torchrun") from None
    if not all_came(store, processes, stopped):
        raise Interrupted("stopped while waiting for the other processes")
    with grouped(processes, device, store, _LONE_SECONDS):
        yield processes

"""Random numbers that a network draws itself, such as for dropout, follow from a seed and the step."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def drawn_by(seed: Sequence[int], device: torch.device) -> Iterator[None]:
    """Lets draws of torch inside the block follow from a seed alone; the state of its generators is as before then.

    Without it, they follow from what the process did before, which a resumed training does not know.

    Args:
        seed: Whole numbers from 0, such as seed, process and step.
        device: Where the network runs.
    """
    devices = [device if device.index is not None else torch.cuda.current_device()] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(int(np.random.SeedSequence(seed).generate_state(1, np.uint32)[0]))
        yield

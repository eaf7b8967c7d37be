"""Random numbers that a network draws itself, such as for dropout, follow from a seed and the step."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def drawn_by(seed: Sequence[int], device: torch.device) -> Iterator[None]:
    """Lets draws of torch inside the block follow from a seed alone; the state of its generators is as before then.

    Without it, they follow from what the process did before, which a resumed training does not know. The generators
    are set by themselves: ``torch.random.fork_rng`` takes half a millisecond, a tenth of a step of a small supernet.

    Args:
        seed: Whole numbers from 0, such as seed, process and step.
        device: Where the network runs.
    """
    number = int(np.random.SeedSequence(seed).generate_state(1, np.uint32)[0])
    generators = _generators(device)
    states = [generator.get_state() for generator in generators]
    for generator in generators:
        generator.manual_seed(number)
    try:
        yield
    finally:
        for generator, state in zip(generators, states, strict=True):
            generator.set_state(state)


def _generators(device: torch.device) -> list[torch.Generator]:
    """Returns the generators that a network on a device draws from."""
    found = [torch.default_generator]
    if device.type == "cuda":
        torch.cuda.init()
        found.append(
            torch.cuda.default_generators[torch.cuda.current_device() if device.index is None else device.index]
        )
    elif device.type == "mps":
        found.append(torch.mps._get_default_mps_generator())
    return found

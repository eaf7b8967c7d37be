"""Random numbers of a search by gradients: each follows from the seed and the step alone.

Symbols:
    N: architectures. D: decisions. C: largest number of choices of a decision.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from surrogate_nas.errors import TrainingError
from surrogate_nas.gradient.distributions.distribution import Distribution
from surrogate_nas.space.space import Codes, Space

# Streams of one seed.
WEIGHTS, DISTRIBUTION, DERIVATION = range(3)
_MOST_ROUNDS = 1000


class Drawn(NamedTuple):
    """Architectures, shape (N, D), and the Gumbel noise that they were drawn with, shape (N, D, C)."""

    codes: Tensor
    noise: Tensor


def generator(seed: int, stream: int, step: int) -> np.random.Generator:
    """Returns the random numbers of a step."""
    return np.random.default_rng([seed, stream, step])


def gumbel(shape: tuple[int, ...], rng: np.random.Generator) -> Tensor:
    """Returns Gumbel noise, float32."""
    return torch.from_numpy(rng.gumbel(size=shape).astype(np.float32))


def draw(space: Space, distribution: Distribution, count: int, rng: np.random.Generator) -> Drawn:
    """Returns draws of a distribution; one without a path from input to output is drawn again.

    Raises:
        TrainingError: If hardly any draw has a path.
    """
    shape = tuple(distribution.allowed.shape)
    codes, noise = torch.empty(0, shape[0], dtype=torch.int64), torch.empty(0, *shape)
    for _ in range(_MOST_ROUNDS):
        fresh = gumbel((count, *shape), rng)
        drawn = distribution.draw(fresh.to(distribution.allowed.device)).cpu()
        connected = torch.from_numpy(np.asarray(space.is_connected(drawn.numpy().astype(np.int8))))
        codes, noise = torch.cat([codes, drawn[connected]]), torch.cat([noise, fresh[connected]])
        if len(codes) >= count:
            return Drawn(codes[:count], noise[:count])
    raise TrainingError(
        f"the distribution draws networks of {space.name} without a path from input to output alone: 'none' has taken"
        " over; lower gradient.rate, or choose another gradient.method"
    )


def draw_uniform(space: Space, rng: np.random.Generator) -> Codes:
    """Returns one uniform draw among the architectures that have a path from input to output, shape (D,)."""
    while True:
        codes = space.sample(8, rng)
        connected = codes[space.is_connected(codes)]
        if len(connected):
            return np.asarray(connected[0])

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
from surrogate_nas.gradient.distributions.subspace import Subspace

# Streams of one seed.
WEIGHTS, DISTRIBUTION, DERIVATION = range(3)
_MOST_ROUNDS = 1000
_AT_ONCE = 8  # draws, at least: most draws may lie outside a subspace


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


def draw(subspace: Subspace, distribution: Distribution, count: int, rng: np.random.Generator) -> Drawn:
    """Returns draws of a distribution; one outside the subspace, or without a path to the output, is drawn again.

    Raises:
        TrainingError: If hardly any draw is accepted.
    """
    shape = tuple(distribution.allowed.shape)
    codes, noise = torch.empty(0, shape[0], dtype=torch.int64), torch.empty(0, *shape)
    for _ in range(_MOST_ROUNDS):
        fresh = gumbel((max(count, _AT_ONCE), *shape), rng)
        drawn = distribution.draw(fresh.to(distribution.allowed.device)).cpu()
        held = torch.from_numpy(subspace.holds(drawn.numpy().astype(np.int8)))
        codes, noise = torch.cat([codes, drawn[held]]), torch.cat([noise, fresh[held]])
        if len(codes) >= count:
            return Drawn(codes[:count], noise[:count])
    name = subspace.space.name
    if subspace.group is None:
        raise TrainingError(
            f"the distribution draws networks of {name} without a path from input to output alone: 'none' has taken"
            " over; lower gradient.rate, or choose another gradient.method"
        )
    raise TrainingError(
        f"the distribution draws hardly any network of {name} that leads from input to output in the subspace"
        f" '{subspace.name}': lower gradient.rate, or choose another gradient.split"
    )

"""Turns a distribution and noise into the mixture that a supernet runs; gradients by the mixture reach the logits.

Symbols:
    D: decisions. C: largest number of choices of a decision.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn import functional as F

from surrogate_nas.gradient.distributions.distribution import Independent
from surrogate_nas.nets.places.mixture import Mixture

Relaxation = Callable[[Independent, Tensor, float], Mixture]
"""Returns a mixture of a distribution, from Gumbel noise of shape (D, C) and a temperature."""


def softmax(distribution: Independent, noise: Tensor, temperature: float) -> Mixture:  # noqa: ARG001 - as all
    """Returns all choices by their probabilities."""
    return _every(distribution, distribution.rows().exp())


def gumbel_softmax(distribution: Independent, noise: Tensor, temperature: float) -> Mixture:
    """Returns all choices by drawn weights, the more one-hot the lower the temperature."""
    return _every(distribution, ((distribution.rows() + noise) / temperature).softmax(dim=1))


def straight_through(distribution: Independent, noise: Tensor, temperature: float) -> Mixture:
    """Returns one drawn choice of each decision; the gradient is that of a Gumbel softmax at the choice alone."""
    noisy = distribution.rows() + noise
    weights = _hard(noisy, (noisy / temperature).softmax(dim=1))
    return Mixture(_cut(distribution, weights), tuple((choice,) for choice in noisy.argmax(dim=1).tolist()))


def gates(distribution: Independent, noise: Tensor, temperature: float) -> Mixture:  # noqa: ARG001 - as all
    """Returns one drawn choice of each decision; all are computed, for the gradient by every gate."""
    rows = distribution.rows()
    return _every(distribution, _hard(rows + noise, rows.exp()))


def _hard(noisy: Tensor, soft: Tensor) -> Tensor:
    """Returns one-hot weights (D, C) of the largest entries, whose gradient is that of soft weights."""
    hot = F.one_hot(noisy.argmax(dim=1), noisy.shape[1]).to(soft.dtype)
    # Exactly one-hot: adding and subtracting would leave rounding errors, and choices of a weight near 0.
    return hot + (soft - soft.detach())


def _every(distribution: Independent, weights: Tensor) -> Mixture:
    computed = (torch.nonzero(row).flatten().tolist() for row in distribution.allowed)
    return Mixture(_cut(distribution, weights), tuple(map(tuple, computed)))


def _cut(distribution: Independent, weights: Tensor) -> tuple[Tensor, ...]:
    """Returns the weights of the choices that each decision has."""
    return tuple(row[:count] for row, count in zip(weights, distribution.choices, strict=True))


RELAXATIONS: Mapping[str, Relaxation] = MappingProxyType(
    {"mixture": softmax, "gumbel": gumbel_softmax, "hard": straight_through, "gate": gates}
)

"""The second-order gradient of DARTS (arXiv 1806.09055): the weights are taken one step further first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

_REACH = 0.01  # length of the step of the finite difference, as in the paper


@dataclass(frozen=True)
class Optimizer:
    """The step that weights take, w' = w - rate * (momentum * buffer + gradient + decay * w).

    Attributes:
        rate: Learning rate.
        momentum: Factor of the buffers.
        decay: Weight decay.
        buffers: Momentum of each weight; ``None`` for one that has not moved.
    """

    rate: float
    momentum: float
    decay: float
    buffers: Sequence[Tensor | None]


def unrolled_gradients(
    weights: Sequence[Tensor],
    parameters: Sequence[Tensor],
    optimizer: Optimizer,
    loss: Callable[[], Tensor],
    own_loss: Callable[[], Tensor],
) -> tuple[Tensor, ...]:
    """Returns the gradients by a distribution's parameters of its own loss at the weights after their next step.

    The derivative by way of the weights is a finite difference of gradients.

    Args:
        weights: The weights, which are as before at the end.
        parameters: The parameters of the distribution.
        optimizer: The step of the weights.
        loss: The loss that the weights descend.
        own_loss: The loss that the distribution descends.
    """
    before = [weight.detach().clone() for weight in weights]
    _move(weights, before, _steps(before, _gradients(loss(), weights), optimizer), 1.0)
    found = torch.autograd.grad(own_loss(), [*parameters, *weights], allow_unused=True)
    direct, by_weights = found[: len(parameters)], found[len(parameters) :]
    ways = [torch.zeros_like(old) if way is None else way for way, old in zip(by_weights, before, strict=True)]
    length = float(torch.sqrt(sum((way.square().sum() for way in ways), torch.zeros(()))))
    if not length:
        _move(weights, before, ways, 0.0)
        return _filled(direct, parameters)
    reach = _REACH / length
    sides = []
    for side in (reach, -reach):
        _move(weights, before, ways, side)
        sides.append(_filled(torch.autograd.grad(loss(), parameters, allow_unused=True), parameters))
    _move(weights, before, ways, 0.0)
    return tuple(
        straight - optimizer.rate * (ahead - behind) / (2 * reach)
        for straight, ahead, behind in zip(_filled(direct, parameters), *sides, strict=True)
    )


def _gradients(loss: Tensor, weights: Sequence[Tensor]) -> tuple[Tensor | None, ...]:
    return torch.autograd.grad(loss, list(weights), allow_unused=True)


def _steps(weights: Sequence[Tensor], gradients: Sequence[Tensor | None], optimizer: Optimizer) -> list[Tensor]:
    """Returns the step of each weight; one without a gradient rests, as in training."""
    steps = []
    for weight, gradient, buffer in zip(weights, gradients, optimizer.buffers, strict=True):
        if gradient is None:
            steps.append(torch.zeros_like(weight))
            continue
        way = gradient + optimizer.decay * weight
        steps.append(-optimizer.rate * (way if buffer is None else way + optimizer.momentum * buffer))
    return steps


@torch.no_grad()
def _move(weights: Sequence[Tensor], origin: Sequence[Tensor], ways: Sequence[Tensor], share: float) -> None:
    """Puts weights at a share of some ways from an origin."""
    for weight, old, way in zip(weights, origin, ways, strict=True):
        weight.copy_(old + share * way if share else old)


def _filled(gradients: Sequence[Tensor | None], parameters: Sequence[Tensor]) -> tuple[Tensor, ...]:
    pairs = zip(gradients, parameters, strict=True)
    return tuple(torch.zeros_like(parameter) if found is None else found for found, parameter in pairs)

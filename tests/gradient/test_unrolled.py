"""The second-order gradient against finite differences of the loss after the weights' next step, in float64."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from surrogate_nas.gradient.unrolled import Optimizer, unrolled_gradients

RATE, MOMENTUM, DECAY = 0.3, 0.9, 0.01


def random(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


class Toy:
    """Two edges, each a mixture of three operations with a weight each; one weight rests."""

    def __init__(self) -> None:
        self.weights = [random(3, seed=1).requires_grad_(), random(3, seed=2).requires_grad_()]
        self.resting = random(1, seed=5).requires_grad_()
        self.logits = random(2, 3, seed=3).requires_grad_()
        self.buffers: list[Tensor | None] = [random(3, seed=4), None, None]

    def loss(self, data: float, weights: list[Tensor] | None = None, logits: Tensor | None = None) -> Tensor:
        first, second = self.weights if weights is None else weights
        p = (self.logits if logits is None else logits).softmax(dim=1)
        middle = (p[0] * torch.sin(first * data)).sum()
        return ((p[1] * torch.tanh(second * middle)).sum() - data) ** 2

    def after_the_next_step(self, logits: Tensor) -> float:
        """The loss of the distribution at the weights that SGD would reach, computed anew."""
        gradients = torch.autograd.grad(self.loss(0.7, logits=logits), self.weights)
        moved = []
        for weight, gradient, buffer in zip(self.weights, gradients, self.buffers, strict=False):
            momentum = 0.0 if buffer is None else MOMENTUM * buffer
            moved.append((weight - RATE * (momentum + gradient + DECAY * weight)).detach())
        return float(self.loss(-1.3, moved, logits))


@pytest.fixture
def toy() -> Toy:
    return Toy()


def unrolled(toy: Toy, own_loss: Callable[[], Tensor]) -> Tensor:
    optimizer = Optimizer(RATE, MOMENTUM, DECAY, toy.buffers)
    weights = [*toy.weights, toy.resting]
    (found,) = unrolled_gradients(weights, [toy.logits], optimizer, lambda: toy.loss(0.7), own_loss)
    return found


def test_second_order_gradients_are_finite_differences(toy: Toy) -> None:
    expected = torch.zeros(2, 3, dtype=torch.float64)
    for row in range(2):
        for column in range(3):
            step = torch.zeros(2, 3, dtype=torch.float64)
            step[row, column] = 1e-5
            sides = [toy.after_the_next_step((toy.logits + way * step).detach()) for way in (1, -1)]
            expected[row, column] = (sides[0] - sides[1]) / 2e-5
    found = unrolled(toy, lambda: toy.loss(-1.3))
    (first_order,) = torch.autograd.grad(toy.loss(-1.3), toy.logits)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-3)
    assert float((first_order - expected).abs().max()) > 0.01  # so that the first order would not do


def test_weights_are_as_before(toy: Toy) -> None:
    before = [weight.detach().clone() for weight in (*toy.weights, toy.resting)]
    unrolled(toy, lambda: toy.loss(-1.3))
    assert all(torch.equal(now, old) for now, old in zip((*toy.weights, toy.resting), before, strict=True))


def test_a_loss_that_no_weight_changes_has_its_own_gradient_alone(toy: Toy) -> None:
    before = toy.weights[0].detach().clone()
    found = unrolled(toy, lambda: toy.logits.square().sum())
    torch.testing.assert_close(found, 2 * toy.logits.detach())
    assert torch.equal(toy.weights[0], before)

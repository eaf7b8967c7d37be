"""Gradients of relaxations against finite differences and enumeration, in float64."""

from collections.abc import Callable
from itertools import product

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from surrogate_nas.gradient.distributions.distribution import Independent
from surrogate_nas.gradient.distributions.relaxations import RELAXATIONS
from surrogate_nas.nets.places.mixture import Mixture
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.supernet.shared_network import SharedNetwork, initialise

BOX = ((1, 2, 3), (0, 1, 3), (0, 1, 2, 3))


@pytest.fixture
def distribution(triangle: CellSpace) -> Independent:
    made = Independent(triangle, 3, BOX).double()
    with torch.no_grad():
        made.logits.copy_(torch.randn(3, 4, generator=torch.Generator().manual_seed(2)))
    return made


def noise(seed: int = 0) -> Tensor:
    return torch.randn(3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def picks(code: tuple[int, ...]) -> Tensor:
    """Returns noise with which an architecture is drawn, whatever the distribution."""
    return 100.0 * F.one_hot(torch.tensor(code), 4).double()


def gradient(loss: Tensor, distribution: Independent) -> Tensor:
    (found,) = torch.autograd.grad(loss, distribution.logits)
    return found


def finite_differences(loss: Callable[[], Tensor], logits: Tensor) -> Tensor:
    found = torch.zeros_like(logits)
    for place in product(*map(range, logits.shape)):
        sides = []
        for way in (1e-5, -1e-5):
            with torch.no_grad():
                logits[place] += way
                sides.append(float(loss()))
                logits[place] -= way
        found[place] = (sides[0] - sides[1]) / 2e-5
    return found


@pytest.mark.parametrize("name", ["mixture", "gumbel"])
def test_first_order_gradients_are_finite_differences_of_the_loss(
    name: str, distribution: Independent, triangle: CellSpace
) -> None:
    network = SharedNetwork(triangle, NetworkSpec(2, 1, 8, input_channels=1, classes=4)).double()
    initialise(network, 1)
    images = torch.randn(4, 1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(3))

    def loss() -> Tensor:
        scores = network.mixed(images, RELAXATIONS[name](distribution, noise(), 0.7))
        return F.cross_entropy(scores, torch.arange(4))

    torch.testing.assert_close(
        gradient(loss(), distribution), finite_differences(loss, distribution.logits), atol=1e-7, rtol=1e-5
    )


def scores(mixture: Mixture) -> Tensor:
    """A loss that is linear in the weights of each decision, but not in all together."""
    values = [torch.tensor(row, dtype=torch.float64) for row in ([1.0, -2, 0.5, 3], [0.2, 1, 1, -1], [2.0, 0, -1, 1])]
    first, second, third = ((w * v).sum() for w, v in zip(mixture.weights, values, strict=True))
    return first * second + third * second


def test_the_mean_gradient_of_gates_is_that_of_the_expected_loss(distribution: Independent) -> None:
    mean = torch.zeros(3, 4, dtype=torch.float64)
    expected = torch.zeros((), dtype=torch.float64)
    for code in product(*BOX):
        mixture = RELAXATIONS["gate"](distribution, picks(code), 1.0)
        assert tuple(int(weights.argmax()) for weights in mixture.weights) == code
        assert mixture.computed == BOX
        probability = distribution.follow(torch.tensor([code]))[0].exp().sum()
        mean += probability.detach() * gradient(scores(mixture), distribution)
        expected = expected + probability * scores(mixture).detach()
    torch.testing.assert_close(mean, gradient(expected, distribution))


def test_only_the_chosen_path_has_a_gradient_where_only_it_runs(distribution: Independent) -> None:
    code = (1, 3, 0)
    mixture = RELAXATIONS["hard"](distribution, picks(code), 50.0)
    assert mixture.computed == ((1,), (3,), (0,))
    assert [weights.tolist() for weights in mixture.weights] == F.one_hot(torch.tensor(code), 4).tolist()
    # By the first decision: dL/dg_1 p_1 (delta - p) / T, with the soft weights p at temperature T.
    soft = ((distribution.rows() + picks(code)) / 50.0).softmax(dim=1).detach()
    by_gate = 7.0
    loss = by_gate * mixture.weights[0][1]
    expected = by_gate * soft[0, 1] * (F.one_hot(torch.tensor(1), 4) - soft[0]) / 50.0
    torch.testing.assert_close(gradient(loss, distribution)[0], expected)


@pytest.mark.parametrize("name", RELAXATIONS)
def test_choices_outside_the_box_have_neither_weight_nor_gradient(name: str, distribution: Independent) -> None:
    mixture = RELAXATIONS[name](distribution, noise(), 0.5)
    outside = ~distribution.allowed
    assert torch.stack(mixture.weights)[outside].abs().max() == 0
    assert all(set(computed) <= set(allowed) for computed, allowed in zip(mixture.computed, BOX, strict=True))
    found = gradient(scores(mixture), distribution)
    assert bool(found.isfinite().all())
    assert found[outside].abs().max() == 0


def test_a_low_temperature_is_nearly_one_hot(distribution: Independent) -> None:
    warm, cold = (RELAXATIONS["gumbel"](distribution, noise(), each).weights for each in (10.0, 0.01))
    assert min(float(row.max()) for row in cold) > 0.99
    assert max(float(row.max()) for row in warm) < 0.6

"""Gradient distances in a mixture against gradients taken one by one, and against paths where a mixture is one."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from surrogate_nas.gradient.contexts import MixtureContext
from surrogate_nas.gradient.distributions.distribution import Independent
from surrogate_nas.gradient.distributions.relaxations import RELAXATIONS
from surrogate_nas.nets.places.mixture import Mixture
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.supernet.gradient_matching import gradient_distances
from surrogate_nas.supernet.shared_network import SharedNetwork, initialise
from surrogate_nas.supernet.splits.boxes import whole_box

SIZES = NetworkSpec(channels=4, cells=1, image_size=8, input_channels=1, classes=4)


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    return torch.randn(8, 1, 8, 8, generator=generator, dtype=torch.float64), torch.arange(8) % 4


@pytest.fixture
def network(triangle: CellSpace) -> SharedNetwork:
    made = SharedNetwork(triangle, SIZES)
    initialise(made, 1)
    return made.double()


def context(space: CellSpace, decision: int, distribution: Independent, name: str) -> MixtureContext:
    return MixtureContext(space, whole_box(space), decision, distribution, (RELAXATIONS[name], 1.0))


@pytest.mark.parametrize("decision", [0, 1, 2])
def test_distances_are_of_the_weights_outside_the_edge(
    triangle: CellSpace, network: SharedNetwork, decision: int
) -> None:
    distribution, (images, labels) = Independent(triangle, 0), batch()
    with torch.no_grad():
        distribution.logits.normal_(generator=torch.Generator().manual_seed(2))
        rows = [row.double() for row in distribution.rows().exp()]
    own = {id(weight) for weight in network.weights_of(decision)}
    assert own
    gradients = []
    for choice in range(4):
        weights = [*rows[:decision], torch.eye(4, dtype=torch.float64)[choice], *rows[decision + 1 :]]
        network.zero_grad(set_to_none=True)
        F.cross_entropy(network.mixed(images, Mixture.of(weights)), labels).backward()  # type: ignore[no-untyped-call]
        outside = [weight for weight in network.parameters() if id(weight) not in own]
        parts = [torch.zeros_like(each) if each.grad is None else each.grad for each in outside]
        gradients.append(torch.cat([part.flatten() for part in parts]).numpy())
    found = context(triangle, decision, distribution, "mixture").distances(
        network, np.random.default_rng(0), images, labels
    )
    unit = np.stack([each / np.linalg.norm(each) for each in gradients])
    np.testing.assert_allclose(found, 1 - unit @ unit.T, atol=1e-6)
    assert (found[~np.eye(4, dtype=bool)] > 1e-4).all()


def test_a_mixture_that_is_a_path_has_its_distances(triangle: CellSpace, network: SharedNetwork) -> None:
    distribution, (images, labels) = Independent(triangle, 0), batch()
    with torch.no_grad():
        distribution.logits[torch.arange(3), torch.tensor([3, 2, 3])] += 100.0
    codes = np.array([[3, choice, 3] for choice in range(4)], dtype=np.int8)
    expected = gradient_distances(network, 1, codes, np.ones(4, dtype=bool), images, labels)
    for name in ("mixture", "gumbel"):
        made = context(triangle, 1, distribution, name)
        found = made.distances(network, np.random.default_rng(0), images, labels)
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_draws_of_a_gumbel_softmax_follow_the_random_numbers(triangle: CellSpace, network: SharedNetwork) -> None:
    made, (images, labels) = context(triangle, 1, Independent(triangle, 0), "gumbel"), batch()
    first, again, other = (made.distances(network, np.random.default_rng(seed), images, labels) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)


def test_a_choice_that_cuts_every_path_is_at_distance_one(network: SharedNetwork) -> None:
    chain = CellSpace(Identity("chain", "1" * 16), ((0, 1), (1, 2)), ("none", "nor_conv_1x1"), SIZES)
    made = SharedNetwork(chain, SIZES).double()
    initialise(made, 1)
    mixture = context(chain, 0, Independent(chain, 0), "mixture")
    assert mixture.alive.tolist() == [False, True]
    assert mixture.distances(made, np.random.default_rng(0), *batch())[0, 1] == 1

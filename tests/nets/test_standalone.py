"""Standalone networks: their shapes, and that dead operations change nothing, with norms that would show it."""

import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from surrogate_nas.errors import SpaceError
from surrogate_nas.nets.normalization import RecordingBatchNorm
from surrogate_nas.nets.standalone import Network, build_network
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec

loaded = load_space("nasbench201")
assert isinstance(loaded, CellSpace)
SPACE = loaded
SMALL = NetworkSpec(channels=3, cells=1, image_size=8)


def randomise(network: Network, seed: int) -> None:
    """Gives every norm statistics, a scale and a shift, since identities hide what goes wrong."""
    generator = torch.Generator().manual_seed(seed)
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            for tensor in (part.weight.data, part.bias.data, part.running_mean, part.running_var):
                assert tensor is not None
                tensor.uniform_(0.5, 1.5, generator=generator)


@pytest.mark.parametrize(
    "network",
    [
        SMALL,
        NetworkSpec(channels=4, cells=2, image_size=4, input_channels=1, classes=3),
        NetworkSpec(channels=2, cells=1, image_size=5, stages=1),
        NetworkSpec(channels=2, cells=1, image_size=16, stages=4),
    ],
)
def test_images_become_class_scores(network: NetworkSpec) -> None:
    built = build_network(SPACE, SPACE.parse("213401"), network).eval()
    images = torch.randn(2, network.input_channels, network.image_size, network.image_size)
    scores = built(images)
    assert scores.shape == (2, network.classes)
    assert not torch.equal(scores[0], scores[1])


def _codes_with_dead_operations() -> list[list[int]]:
    codes = SPACE.all_codes()
    dead = codes[(SPACE.effective(codes) != codes).any(axis=1)]
    drawn = dead[np.random.default_rng(0).choice(len(dead), 25, replace=False)].tolist()
    # No data reach the convolutions from node 1, leave those to node 2, or leave any.
    return [[0, 3, 3, 2, 3, 1], [3, 2, 1, 3, 0, 0], [3, 3, 0, 0, 0, 0], *drawn]


@pytest.mark.parametrize("code", _codes_with_dead_operations(), ids=str)
def test_a_code_and_its_effective_code_compute_the_same(code: list[int]) -> None:
    torch.manual_seed(0)
    written = build_network(SPACE, code, SMALL)
    randomise(written, 1)
    effective = build_network(SPACE, SPACE.effective([code])[0], SMALL)
    weights = written.state_dict()
    effective.load_state_dict({name: weights[name] for name in effective.state_dict()})
    images = torch.randn(2, 3, 8, 8)
    assert torch.equal(written.eval()(images), effective.eval()(images))


def test_isomorphic_codes_compute_the_same_from_weights_that_are_moved() -> None:
    """conv(x) + pool(x) at the output by two ways: through node 1 and directly, and through node 2 and directly."""
    torch.manual_seed(0)
    one, other = [3, 0, 0, 4, 1, 0], [0, 3, 0, 4, 0, 1]
    assert np.array_equal(SPACE.canonical([one]), SPACE.canonical([other]))
    first, second = (build_network(SPACE, code, SMALL) for code in (one, other))
    randomise(first, 2)
    weights = {name.replace("operations.0.", "operations.1."): value for name, value in first.state_dict().items()}
    second.load_state_dict(weights)
    images = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(first.eval()(images), second.eval()(images))


def test_every_weight_of_a_live_code_learns() -> None:
    torch.manual_seed(0)
    network = build_network(SPACE, SPACE.parse("321432"), SMALL)
    network(torch.randn(4, 3, 8, 8)).square().sum().backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in network.parameters())


def test_the_normalisation_is_the_one_asked_for() -> None:
    network = build_network(SPACE, SPACE.parse("321432"), SMALL, RecordingBatchNorm)
    assert not any(isinstance(part, nn.BatchNorm2d) for part in network.modules())


def test_a_code_that_does_not_belong_is_refused() -> None:
    with pytest.raises(SpaceError, match=re.escape("decision 2<-0 of nasbench201 has choices 0 to 4 (got 7 in row 0)")):
        build_network(SPACE, [0, 7, 0, 0, 0, 0], SMALL)
    with pytest.raises(SpaceError, match=re.escape("(got shape (1, 5))")):
        build_network(SPACE, [0] * 5, SMALL)


@pytest.mark.quick_cases(2)
@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("quick_elastic", NetworkSpec(6, 1, 9, 1, 5, stages=2)),
        ("quick_widths", NetworkSpec(6, 1, 9, 1, 5, stages=2)),
        ("images32", NetworkSpec(32, 1, 12)),
        ("ofa_mobilenetv3", NetworkSpec(8, 1, 32, stages=5)),
    ],
)
def test_networks_have_the_counted_costs_at_every_size(name: str, sizes: NetworkSpec) -> None:
    space = load_space(name)
    codes = np.repeat(space.sample(1, np.random.default_rng(0)), len(space.decisions[0].choices), axis=0)
    codes[:, 0] = np.arange(len(codes))
    found = []
    for code in codes:
        with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
            network = build_network(space, code, sizes).eval()
            image = torch.zeros(1, sizes.input_channels, sizes.image_size, sizes.image_size)
            assert network(image).shape == (1, sizes.classes)
        found.append(counter.get_total_flops() // 2)
        assert space.parameters([code], sizes)[0] == sum(weight.numel() for weight in network.parameters())
    assert found == space.flops(codes, sizes).tolist()
    assert len(set(found)) == len(found)

"""Every rival runs on images of every usual size, and its counts are the built network's."""

import pickle

import pytest
import torch
from torch import nn

from surrogate_nas.errors import SettingsError
from surrogate_nas.rivals.rival import Interface
from surrogate_nas.rivals.rival_network import RivalNetwork, count_rival
from surrogate_nas.rivals.table import RIVALS

INSTALLED = [name for name, row in RIVALS.items() if row.is_installed]
_QUICK = ("resnet20", "mobilenet_v3_small", "shufflenet_v2")
OF_SIZES = [pytest.param(name, marks=() if name in _QUICK else pytest.mark.slow) for name in INSTALLED]


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("name", OF_SIZES)
def test_it_takes_images_of_every_usual_size(name: str) -> None:
    for size in (8, 16, 32, 64, 96, 224):
        with torch.device("meta"), torch.no_grad():
            network = RivalNetwork(name, RIVALS[name].widths[0], Interface(3, size, 10)).build().eval()
            assert network(torch.empty(2, 3, size, size)).shape == (2, 10)


@pytest.mark.quick_cases(4)
@pytest.mark.parametrize("name", INSTALLED)
def test_its_costs_are_counted(name: str) -> None:
    counts = count_rival(RivalNetwork(name, RIVALS[name].widths[0], Interface(3, 32, 10)))
    assert counts.flops > counts.params
    assert counts.memory_bytes > 4 * 3 * 32**2


@pytest.mark.quick_cases(3)
@pytest.mark.parametrize("name", INSTALLED)
def test_a_built_network_classifies_grey_images(name: str) -> None:
    one = RivalNetwork(name, RIVALS[name].widths[0], Interface(1, 16, 5))
    network = one.build()
    assert network(torch.randn(3, 1, 16, 16)).shape == (3, 5)
    assert sum(weight.numel() for weight in network.parameters()) == count_rival(one).params
    assert {layer.momentum for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)} <= {0.1}


def test_images_that_are_too_small_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"SqueezeNet 1\.1 cannot take images of 2x2 pixels"):
        count_rival(RivalNetwork("squeezenet1_1", 1.0, Interface(3, 2, 10)))


def test_names_for_results_and_for_people() -> None:
    one = RivalNetwork("resnet20", 0.75, Interface(3, 32, 10))
    assert (one.key, one.title) == ("resnet20@0.75", "ResNet-20 at width 0.75")
    assert RivalNetwork("resnet18", 1.0, one.interface).title == "ResNet-18"
    assert pickle.loads(pickle.dumps(one)) == one


def test_checkpoints_of_different_rivals_do_not_mix() -> None:
    wide, narrow = (RivalNetwork("resnet20", width, Interface(3, 32, 10)) for width in (1.0, 0.5))
    small = RivalNetwork("resnet20", 1.0, Interface(3, 16, 10))
    assert len({str(one.identity) for one in (wide, narrow, small)}) == 3


def test_first_weights_follow_from_the_seed() -> None:
    one = RivalNetwork("resnet20", 0.25, Interface(1, 8, 3))
    weights = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        weights.append(torch.cat([weight.flatten() for weight in one.build().parameters()]))
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_8_bits_take_a_quarter_of_the_memory() -> None:
    one = RivalNetwork("resnet20", 0.5, Interface(3, 32, 10))
    assert 4 * count_rival(one, "int8").memory_bytes == count_rival(one).memory_bytes

"""A network of its own on a supernet's weights computes what the subnet computes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from surrogate_nas.errors import SpaceError
from surrogate_nas.nets.normalization import NormMode, set_mode
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.supernet.extract import extract_weights
from surrogate_nas.supernet.shared_network import SharedNetwork, initialise

SPACE = load_space("nasbench201")
SPEC = NetworkSpec(4, 2, 8, 3, 5)


@pytest.mark.parametrize("thresholds", [(), (4.0, 9.0)])
@pytest.mark.parametrize("code", [(3, 1, 4, 2, 3, 1), (2, 0, 1, 3, 3, 4)])
def test_both_compute_the_same(code: tuple[int, ...], thresholds: tuple[float, ...]) -> None:
    shared = SharedNetwork(SPACE, SPEC, thresholds)
    initialise(shared, 1)
    network = build_network(SPACE, SPACE.effective([code])[0], SPEC)
    extract_weights(network, shared, code)
    images = torch.randn(8, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    set_mode(shared, NormMode.BATCH)
    with torch.no_grad():
        torch.testing.assert_close(network.train()(images), shared(images, code), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "digits"), [("nasbench_macro", "12012012"), ("quick_elastic", "0012102")])
def test_chains_too(name: str, digits: str) -> None:
    space = load_space(name)
    spec = replace(space.network, channels=4, image_size=8)
    shared = SharedNetwork(space, spec)
    initialise(shared, 1)
    code = space.parse(digits)
    network = build_network(space, code, spec)
    extract_weights(network, shared, code)
    images = torch.randn(8, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    set_mode(shared, NormMode.BATCH)
    with torch.no_grad():
        torch.testing.assert_close(network.train()(images), shared(images, code.tolist()), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["darts", "nasbench1shot1_3"])
@pytest.mark.parametrize("thresholds", [(), (3.0,)])
def test_cells_of_node_choices_too(name: str, thresholds: tuple[float, ...]) -> None:
    space, spec = load_space(name), NetworkSpec(4, 1, 8, 3, 5, stages=2)
    shared = SharedNetwork(space, spec, thresholds)
    initialise(shared, 1)
    images = torch.randn(8, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    set_mode(shared, NormMode.BATCH)
    for code in space.sample(3, np.random.default_rng(2)):
        network = build_network(space, space.effective([code])[0], spec)
        extract_weights(network, shared, code)
        with torch.no_grad():
            torch.testing.assert_close(network.train()(images), shared(images, code.tolist()), rtol=1e-3, atol=1e-4)


def test_other_sizes_are_refused() -> None:
    shared = SharedNetwork(SPACE, SPEC)
    code = (3, 1, 4, 2, 3, 1)
    with pytest.raises(SpaceError, match="do not fit"):
        extract_weights(build_network(SPACE, code, replace(SPEC, channels=8)), shared, code)
    with pytest.raises(SpaceError, match="has 10 layers, the network to train 7"):
        extract_weights(build_network(SPACE, code, replace(SPEC, cells=1)), shared, code)


def test_layers_of_another_kind_are_refused() -> None:
    shared = SharedNetwork(SPACE, SPEC)
    code = (3, 1, 4, 2, 3, 1)
    network = build_network(SPACE, code, SPEC)
    network[1] = nn.Identity()
    with pytest.raises(SpaceError, match="SharedCell cannot be taken over; train from scratch"):
        extract_weights(network, shared, code)

"""A network of its own on a supernet's weights computes what the subnet computes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from surrogate_nas.errors import SettingsError, SpaceError
from surrogate_nas.nets.normalization import NormMode, set_mode
from surrogate_nas.nets.pretrained.first_weights import FirstWeights
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.extremes import HasLargest
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.supernet.extract import extract_weights, put_first_weights
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


def cropped(whole: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """Returns first channels and the centre of kernels."""
    for side, size in enumerate(shape):
        edge = (whole.shape[side] - size) // 2 if side >= 2 else 0
        whole = whole.narrow(side, edge, size)
    return whole


LITE = load_space("efficientnet_lite0")


def random_first_weights() -> FirstWeights:
    assert isinstance(LITE, HasLargest)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build_network(LITE, LITE.largest(), replace(LITE.network, classes=7))
        with torch.no_grad():
            for parameter in network.parameters():
                if parameter.ndim == 1:
                    parameter.uniform_(0.5, 1.5)
            for name, statistic in network.named_buffers():
                if name.endswith(("mean", "var")):
                    statistic.uniform_(0.5, 1.5)
    return FirstWeights("random", LITE.fingerprint, network.state_dict())


@pytest.mark.quick_cases(1)
@torch.no_grad()
@pytest.mark.parametrize(("classes", "copies"), [(7, ()), (5, ()), (7, (12.0, 20.0))])
def test_every_subnet_begins_with_its_part_of_pretrained_weights(classes: int, copies: tuple[float, ...]) -> None:
    first, spec = random_first_weights(), replace(LITE.network, classes=classes, image_size=32)
    shared = SharedNetwork(LITE, spec, copies, nested=True, scaled=True)
    initialise(shared, 1)
    own_classifier = shared.layers[-1][2].weight.clone()  # type: ignore[index]
    put_first_weights(shared, first, spec)
    assert isinstance(LITE, HasLargest)
    images = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    for code in [LITE.largest(), *LITE.sample(4, np.random.default_rng(0))]:
        network = build_network(LITE, LITE.effective([code])[0], spec).train()
        for name, parameter in network.named_parameters():
            known = first.tensors[name]
            if classes == 7 or not name.startswith("19."):
                parameter.copy_(cropped(known, parameter.shape))
        if classes != 7:
            assert torch.equal(shared.layers[-1][2].weight, own_classifier)  # type: ignore[index]
            network[-1].load_state_dict(shared.layers[-1].state_dict())
        torch.testing.assert_close(shared(images, code.tolist()), network(images), rtol=1e-4, atol=1e-4)
        part = first.part(LITE, LITE.effective([code])[0], spec)
        for name, own in part.state_dict().items():
            if name.endswith(("running_mean", "running_var")):
                assert torch.equal(own, first.tensors[name][: len(own)])
            elif not name.startswith("19.") and not name.endswith("num_batches_tracked"):
                assert torch.equal(own, network.state_dict()[name])


def test_pretrained_weights_do_not_fit_other_widths() -> None:
    spec = replace(LITE.network, channels=48)
    with pytest.raises(SettingsError, match=r"need 24 channels in the first stage and 1 cell \(got 48 and 1\)"):
        put_first_weights(SharedNetwork(LITE, spec, nested=True, scaled=True), random_first_weights(), spec)

"""Sorted channels: a whole network computes what it did, and its first channels are the most important ones."""

import pytest
import torch
from torch import nn

from surrogate_nas.nets.blocks import build_block
from surrogate_nas.nets.pretrained.largest import largest_network
from surrogate_nas.nets.pretrained.sorting import sort_channels
from surrogate_nas.space.extremes import HasLargest
from surrogate_nas.space.layouts import layout_of
from surrogate_nas.space.load import load_space
from surrogate_nas.space.operations.spec import Shape
from tests.nets.pretrained.conftest import known_network


def test_mobilenet_computes_what_it_did(mobilenet: nn.Module) -> None:
    network = largest_network(load_space("mobilenet_v2"), mobilenet.state_dict(), "these").double()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    x = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        scores = network(x)
        sort_channels(list(network), [3 <= position < 19 for position in range(len(network))])
        torch.testing.assert_close(network(x), scores)
    moved = [name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])]
    # The last convolution reads what the last chosen layer gives.
    assert {int(name.split(".")[0]) for name in moved} == set(range(3, 20))
    # All layers that take the two or three outputs of a stage read important channels first.
    both = torch.cat([network[position][0].weight.detach() for position in (4, 5)])  # type: ignore[index]
    reading = both.abs().sum(dim=(0, 2, 3))
    assert (reading.diff() <= 0).all()
    hidden = network[4][6].weight.detach().abs().sum(dim=(0, 2, 3))  # type: ignore[index]
    assert (hidden.diff() <= 0).all()


def test_squeeze_and_excitation_is_sorted_too() -> None:
    space = load_space("mobilenet_v3_small")
    assert isinstance(space, HasLargest)
    network = largest_network(space, known_network("mobilenet_v3_small").state_dict(), "these").double()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    x = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)).double()
    layers = layout_of(space, space.largest(), space.network)
    with torch.no_grad():
        scores = network(x)
        sort_channels(list(network), [not layer.is_fixed for layer in layers])
        torch.testing.assert_close(network(x), scores)
    moved = [name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])]
    assert any("squeeze" in name for name in moved)
    assert any("excite" in name for name in moved)


@pytest.mark.parametrize(
    "names",
    [
        ["basic_k3", "basic_k3", "bottleneck_k3_r2", "fused_k3_e2_se_hs"],
        # Squeeze and excitation before anything that mixes channels, of as many channels inside as outside.
        ["basic_k3", "dsres_k3_se", "dsres_k3_se", "dsres_k3_se"],
    ],
    ids=["residual", "squeezed first"],
)
def test_blocks_of_residual_networks(names: list[str]) -> None:
    shapes = [(4, 4, 8, 8), (4, 8, 8, 4), (8, 8, 4, 4), (8, 12, 4, 4)]
    generator = torch.Generator().manual_seed(0)
    blocks = [build_block(name, Shape(*shape)).double() for name, shape in zip(names, shapes, strict=True)]
    stem = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU()).double()
    last = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 3)).double()
    network = nn.Sequential(stem, nn.MaxPool2d(1), *blocks, last).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
        before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        x = torch.randn(2, 3, 8, 8, generator=generator).double()
        scores = network(x)
        sort_channels(list(network), [False, False, True, True, True, True, False])
        torch.testing.assert_close(network(x), scores)
    changed = [name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])]
    # Channels of the first stage come from the stem, and the last ones go to the classifier.
    assert {name.split(".")[0] for name in changed} == {"0", "2", "3", "4", "5", "6"}
    assert "6.2.bias" not in changed

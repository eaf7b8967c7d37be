"""Many architectures side by side against one at a time, and against a network that owns its weights."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from surrogate_nas.errors import SpaceError
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.kinds.chain.space import ChainSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.zero_cost.random_supernet import RandomSupernet, scored_places

NETWORK = NetworkSpec(4, 1, 8)


@pytest.fixture(scope="module")
def space() -> CellSpace:
    space = load_space("nasbench201")
    assert isinstance(space, CellSpace)
    return space


@pytest.fixture(scope="module")
def supernet(space: CellSpace) -> RandomSupernet:
    return RandomSupernet(space, NETWORK, 6, torch.Generator().manual_seed(0))


def apply(module: nn.Module, x: Tensor, who: Tensor) -> Tensor:
    y: Tensor = module(x.flatten(0, 1))
    return y.reshape(len(who), -1, *y.shape[1:])


def outputs(supernet: RandomSupernet, codes: np.ndarray, images: Tensor) -> Tensor:
    x = images.expand(len(codes), *images.shape)
    for index in range(len(supernet.layers)):
        x = supernet.run(index, torch.from_numpy(codes.astype(np.int64)), x, apply)
    return x


def test_neighbours_in_a_batch_change_nothing(space: CellSpace, supernet: RandomSupernet) -> None:
    codes = space.effective(space.sample(12, np.random.default_rng(0)))
    images = torch.randn(6, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    together = outputs(supernet, codes, images)
    for row in range(len(codes)):
        torch.testing.assert_close(
            outputs(supernet, codes[row : row + 1], images)[0], together[row], atol=1e-4, rtol=1e-4
        )


@pytest.mark.parametrize("name", ["quick", "nasbench_macro"])
def test_chains_side_by_side_compute_what_networks_with_the_same_weights_do(name: str) -> None:
    space = load_space(name)
    assert isinstance(space, ChainSpace)
    spec = replace(space.network, channels=4, image_size=8)
    supernet = RandomSupernet(space, spec, 6, torch.Generator().manual_seed(0))
    codes = space.sample(5, np.random.default_rng(0))
    images = torch.randn(6, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    together = outputs(supernet, codes, images)
    for code, found in zip(codes, together, strict=True):
        network = build_network(space, code, spec, lambda channels: nn.BatchNorm2d(channels, affine=False)).train()
        for own, layer, variants in zip(network, space.layout(spec), supernet.layers, strict=True):
            shared = variants.rows[0][code[layer.decision] if layer.decision is not None else 0]
            for mine, theirs in zip(own.parameters(), shared.parameters(), strict=True):
                mine.data.copy_(theirs)
        with torch.no_grad():
            torch.testing.assert_close(network(images), found, atol=1e-3, rtol=1e-3)


def test_it_computes_what_a_network_with_the_same_weights_does(space: CellSpace, supernet: RandomSupernet) -> None:
    code = np.array([3, 4, 1, 2, 3, 3], dtype=np.int8)
    network = build_network(space, code, NETWORK, lambda channels: nn.BatchNorm2d(channels, affine=False)).train()
    for layer, variants in zip(network, supernet.layers, strict=True):
        rows = variants.rows
        chosen = [rows[edge][operation] for edge, operation in enumerate(code)] if len(rows) > 1 else rows[0]
        owned = list(layer.operations) if len(rows) > 1 else [layer]  # type: ignore[arg-type]
        for own, shared in zip(owned, chosen, strict=True):
            for mine, theirs in zip(own.parameters(), shared.parameters(), strict=True):
                mine.data.copy_(theirs)
    images = torch.randn(6, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(outputs(supernet, code[None], images)[0], network(images), atol=1e-4, rtol=1e-4)


def test_places_that_cannot_run_side_by_side_are_refused() -> None:
    space = load_space("darts")
    assert (
        scored_places(space)
        == scored_places(load_space("quick_elastic"))
        == scored_places(load_space("quick_widths"))
        == ()
    )
    with pytest.raises(SpaceError, match="a place is of the kind 'nodes'"):
        RandomSupernet(space, NETWORK, 2, torch.Generator())

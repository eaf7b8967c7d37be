"""Every kind of place has a row, and does what the protocol says."""

import numpy as np
import pytest
import torch
from torch import nn

from surrogate_nas.nets.places.protocol import ScoredPlace, SharedPlace
from surrogate_nas.nets.places.table import PLACES, places_of
from surrogate_nas.space.layouts import layout_of
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import CELL, CHOICE, NODES, RESOLUTION, SEARCHED, NetworkSpec
from surrogate_nas.space.space import Space

SPACES = {"nasbench201": {CELL}, "quick": {CHOICE}, "darts": {NODES}, "quick_elastic": {RESOLUTION, CHOICE}}


def test_every_kind_of_place_has_a_row() -> None:
    assert set(PLACES) == set(SEARCHED)


@pytest.mark.parametrize(("name", "kinds"), SPACES.items())
def test_the_places_of_a_space_are_those_of_its_layers(name: str, kinds: set[str]) -> None:
    assert set(places_of(load_space(name))) == {PLACES[kind] for kind in kinds}


def small(space: Space) -> NetworkSpec:
    return NetworkSpec(4, 1, 8, 3, 5, stages=space.network.stages)


@pytest.mark.quick_cases(2)
@pytest.mark.parametrize("name", SPACES)
def test_a_place_is_consistent(name: str) -> None:
    """Its shared module has the weights of its standalone one, which are the weights of the pieces that it runs."""
    space = load_space(name)
    sizes = small(space)
    for code in space.effective(space.sample(4, np.random.default_rng(0))):
        for layer in layout_of(space, code, sizes):
            if layer.is_fixed:
                continue
            place = PLACES[layer.kind]
            own, shared = place.standalone(space, layer, code, nn.BatchNorm2d), place.shared(space, layer)
            assert isinstance(shared, SharedPlace)
            pairs = list(shared.counterparts(own, code))
            assert {id(one) for _, module in pairs for one in module.parameters()} == set(map(id, own.parameters()))
            for theirs, module in pairs:
                mine = dict(module.named_parameters())
                assert all(mine[key].shape == value.shape for key, value in theirs.named_parameters())
            load = place.workload(space, [layer])
            built = [piece.build() for piece in load.pieces]
            weights = [sum(p.numel() for p in m.parameters()) if isinstance(m, nn.Module) else 0 for m in built]
            assert (load.counts(code[None]) @ weights).tolist() == [sum(p.numel() for p in own.parameters())]
            (alive,) = place.alive(space, [layer], code[None])
            assert alive.shape == (1,)
            assert alive[0] >= 0


@pytest.mark.parametrize(("name", "scored"), [("nasbench201", True), ("quick", True), ("darts", False)])
def test_places_with_scores_run_architectures_side_by_side(name: str, scored: bool) -> None:
    space = load_space(name)
    layer = next(layer for layer in space.layout(small(space)) if not layer.is_fixed)
    place = PLACES[layer.kind]
    assert isinstance(place, ScoredPlace) == scored
    if isinstance(place, ScoredPlace):
        variants = place.variants(space, layer, lambda _channels: nn.Identity())
        x = torch.randn(2, 3, layer.in_channels, layer.in_size, layer.in_size)
        codes = torch.zeros(2, space.num_decisions, dtype=torch.int64)
        y = variants.run(codes, x, lambda module, maps, who: module(maps.flatten(0, 1)).unflatten(0, (len(who), 3)))
        assert y.shape == (2, 3, layer.out_channels, layer.out_size, layer.out_size)

"""The layers of architectures that choose their size, and of others."""

import numpy as np

from surrogate_nas.space.kinds.chain.elastic import ElasticSpace
from surrogate_nas.space.layouts import (
    chosen_variants,
    decides_by_layer,
    layer_variants,
    layout_of,
    seen_size,
    smallest_map,
)
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec

loaded = load_space("quick_elastic")
assert isinstance(loaded, ElasticSpace)
QUICK = loaded


def test_a_space_without_sizes_to_choose_has_one_layer_at_each_position() -> None:
    space = load_space("nasbench201")
    layers = space.layout(space.network)
    assert layer_variants(space, space.network) == tuple((layer,) for layer in layers)
    assert layout_of(space, [0] * 6, space.network) == layers
    assert not chosen_variants(space, [[0] * 6, [1] * 6], space.network).any()


def test_the_layers_of_the_largest_sizes_are_the_layout_of_the_space() -> None:
    resize, *others = layer_variants(QUICK, QUICK.network)
    assert [variants[-1] for variants in (resize, *others)] == list(QUICK.layout(QUICK.network))
    assert [layer.hands_on for layer in resize] == [False, True]
    assert all(small.in_size < large.in_size for small, large in others)


def test_every_architecture_has_the_layers_of_its_choice() -> None:
    codes = QUICK.sample(50, np.random.default_rng(0))
    sides = QUICK.sizes.sides(QUICK.network.image_size)
    found = [layout_of(QUICK, code, QUICK.network) for code in codes]
    assert [layers[1].in_size for layers in found] == [sides[choice] for choice in codes[:, 0]]
    assert [layers[0].out_size for layers in found] == [layers[1].in_size for layers in found]


def test_chains_decide_by_layer_and_cells_do_not() -> None:
    for name, expected in (("fbnet", True), ("quick_elastic", True), ("nasbench201", False), ("darts", False)):
        space = load_space(name)
        assert decides_by_layer(space.layout(space.network)) == expected


def test_an_architecture_says_which_size_it_sees() -> None:
    sizes = NetworkSpec(4, 1, 16, stages=2)
    assert [seen_size(QUICK, [choice, *[0] * 6], sizes) for choice in (0, 1)] == [12, 16]
    assert seen_size(QUICK.chain, [0] * 6, sizes) == 16


def test_the_smallest_map_is_that_of_the_smallest_resolution() -> None:
    assert smallest_map(QUICK, QUICK.network) == 3
    assert smallest_map(QUICK.chain, QUICK.network) == 4

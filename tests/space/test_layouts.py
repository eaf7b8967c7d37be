"""The layers of architectures that choose their size, and of others."""

import numpy as np

from surrogate_nas.space.kinds.chain.elastic import ResolutionSpace
from surrogate_nas.space.layouts import Layers, by_layout, decides_by_layer, layout_of, layouts, seen_size, smallest_map
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec

loaded = load_space("quick_elastic")
assert isinstance(loaded, ResolutionSpace)
QUICK = loaded


def test_a_space_without_sizes_to_choose_has_one_sequence_of_layers() -> None:
    space = load_space("nasbench201")
    assert layouts(space, space.network) == (space.layout(space.network),)
    assert layout_of(space, [0] * 6, space.network) == space.layout(space.network)
    ((rows, layers),) = by_layout(space, [[0] * 6, [1] * 6], space.network)
    assert rows.tolist() == [0, 1]
    assert layers == space.layout(space.network)


def test_the_layers_of_the_largest_size_are_the_layout_of_the_space() -> None:
    *smaller, largest = layouts(QUICK, QUICK.network)
    assert largest == QUICK.layout(QUICK.network) not in smaller
    assert largest[0].hands_on
    assert not any(layers[0].hands_on for layers in smaller)


def test_every_architecture_has_the_layers_of_its_choice() -> None:
    codes = QUICK.sample(50, np.random.default_rng(0))
    found: dict[int, Layers] = {}
    for rows, layers in by_layout(QUICK, codes, QUICK.network):
        found |= dict.fromkeys(rows.tolist(), layers)
    assert [found[row] for row in range(50)] == [layout_of(QUICK, code, QUICK.network) for code in codes]
    sides = QUICK.sides(QUICK.network.image_size)
    assert [found[row][1].in_size for row in range(50)] == [sides[choice] for choice in codes[:, 0]]


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

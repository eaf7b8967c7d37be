"""The table of fixed layers; ``test_network`` compares what they cost with what torch counts."""

import re

import pytest

from surrogate_nas.errors import SpaceError
from surrogate_nas.nets.layers import build_layer
from surrogate_nas.space.network import Layer
from surrogate_nas.space.operations.families import find_block
from surrogate_nas.space.operations.fixed import FIXED_LAYERS, find_fixed_layer


def test_exactly_the_layers_of_the_table_can_be_built() -> None:
    for name in FIXED_LAYERS:
        build_layer(Layer(name, 4, 4, 4, 2, 0))
    with pytest.raises(SpaceError, match=re.escape("unknown layer 'lid'; use a block, such as")):
        find_fixed_layer("lid")
    with pytest.raises(SpaceError, match=re.escape("unknown block 'lid'")):
        build_layer(Layer("lid", 4, 4, 4, 4, 0))


def test_a_block_may_be_a_fixed_layer() -> None:
    assert find_fixed_layer("dsconv_k3") is find_block("dsconv_k3")

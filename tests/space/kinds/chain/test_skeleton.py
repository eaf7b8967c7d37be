"""The layers of a chain, written out by hand."""

import re
from dataclasses import replace

import pytest

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.kinds.chain.skeleton import ChainStage, FixedLayer, Skeleton, chain_layout, scaled_width
from surrogate_nas.space.network import Layer, NetworkSpec

CHOICES = (("skip",), ("skip",))
SKELETON = Skeleton(
    (FixedLayer("conv_bn_relu_k3", 8, 2),),
    (ChainStage(16, 1, CHOICES), ChainStage(24, 2, CHOICES[:1])),
    (FixedLayer("x", 64),),
)


def test_the_layers_of_a_chain() -> None:
    assert chain_layout(SKELETON, NetworkSpec(16, 1, 7, 1, 5, stages=2)) == (
        Layer("conv_bn_relu_k3", 1, 8, 7, 4, 0),
        Layer("choice", 8, 16, 4, 4, 0, 0),
        Layer("choice", 16, 16, 4, 4, 0, 1),
        Layer("choice", 16, 24, 4, 2, 1, 2),
        Layer("x", 24, 64, 2, 2, 1),
        Layer("classifier", 64, 5, 2, 1, 1),
    )


def test_a_layer_that_pools_gives_one_pixel() -> None:
    pooled = replace(SKELETON, after=(FixedLayer("x", 64, pools=True),))
    *_, last, classifier = chain_layout(pooled, NetworkSpec(16, 1, 7, 1, 5, stages=2))
    assert (last, classifier) == (Layer("x", 24, 64, 2, 1, 1), Layer("classifier", 64, 5, 1, 1, 1))


@pytest.mark.parametrize(("width", "channels", "scaled"), [(24, 16, 24), (24, 8, 12), (8, 1, 2), (24, 5, 8)])
def test_widths_are_scaled_to_even_ones(width: int, channels: int, scaled: int) -> None:
    assert scaled_width(width, NetworkSpec(channels, 1, 8), 16) == scaled


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        (NetworkSpec(16, 1, 8, stages=3), "this chain has 2 stages (got 3)"),
        (NetworkSpec(16, 2, 8, stages=2), "cells must be 1 (got 2)"),
    ],
)
def test_sizes_of_other_networks_are_refused(sizes: NetworkSpec, message: str) -> None:
    with pytest.raises(SpaceError, match=re.escape(message)):
        chain_layout(SKELETON, sizes)

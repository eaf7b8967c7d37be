"""Elastic widths: a small space against a list of it, and the sizes of its layers."""

import re
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.errors import SpaceError
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.kinds.chain.elastic import ElasticSpace
from surrogate_nas.space.kinds.chain.sizes import Sizes
from surrogate_nas.space.layouts import layout_of
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.testing.spaces import check_space

DEFINITION = """
name = "widths"
source = "for tests"
kind = "chain"
operations = ["mbconv_k3_e1", "mbconv_k3_e2_se"]

[[before]]
layer = "conv_bn_relu_k3"
width = 4

[[stages]]
layers = 1
width = [6, 8]

[[stages]]
layers = 2
least_layers = 1
width = [8, 12, 16]
stride = 2

[[after]]
layer = "conv_bn_relu_k1"
width = 16

[network]
image_size = 8
"""
RESOLUTIONS = "[elastic]\nresolutions = [6, 8]\n"


def loaded(folder: Path, text: str) -> ElasticSpace:
    path = folder / "space.toml"
    path.write_text(text, encoding="utf-8")
    space = load_space(str(path))
    assert isinstance(space, ElasticSpace)
    return space


@pytest.fixture(params=["", RESOLUTIONS], ids=["widths", "both"])
def space(request: pytest.FixtureRequest, tmp_path: Path) -> ElasticSpace:
    return loaded(tmp_path, DEFINITION + request.param)


def test_it_keeps_what_spaces_promise(space: ElasticSpace) -> None:
    check_space(space)


def test_decisions_and_text_begin_with_the_sizes(space: ElasticSpace) -> None:
    resized = space.sizes.is_resized
    names = [decision.name for decision in space.decisions]
    assert names == [*["resolution"] * resized, "1.width", "2.width", "1.1", "2.1", "2.2"]
    code = [*[1] * resized, 0, 2, 1, 0, 2]
    text = "r8+" * resized + "w6|w16+mbconv_k3_e2_se+mbconv_k3_e1|identity"
    assert space.format(code) == text
    assert space.parse(text).tolist() == code
    with pytest.raises(SpaceError, match=re.escape("begins with its sizes, such as ")):
        space.parse(text.replace("w6", "w7"))


def test_costs_are_of_the_networks_that_are_built(space: ElasticSpace) -> None:
    for code in space.sample(20, np.random.default_rng(0)):
        built = build_network(space, code, space.network)
        assert space.parameters([code], space.network)[0] == sum(one.numel() for one in built.parameters())
    codes = space.all_codes()
    assert np.array_equal(
        space.parameters(codes, space.network), space.parameters(space.effective(codes), space.network)
    )


def test_widths_are_in_the_layers_on_both_sides(space: ElasticSpace) -> None:
    head = space.format(space.all_codes()[0]).split("+mbconv")[0].replace("w6|w8", "w6|w12")
    code = space.parse(f"{head}+mbconv_k3_e1+mbconv_k3_e1|identity")
    widths = [(layer.in_channels, layer.out_channels) for layer in layout_of(space, code, space.network)]
    assert widths[-6:] == [(3, 4), (4, 6), (6, 12), (12, 12), (12, 16), (16, 10)]


def test_a_narrower_network_keeps_the_proportions(tmp_path: Path) -> None:
    space = loaded(tmp_path, DEFINITION)
    narrow = NetworkSpec(12, 1, 8, stages=2)
    assert {layer.out_channels for layer in space.layer_variants(narrow)[2]} == {12, 18, 24}
    message = "channels must be at least 6 for the 2 widths of stage 1 of widths to differ (got 4: 4, 4 channels)"
    with pytest.raises(SpaceError, match=re.escape(message)):
        space.layout(NetworkSpec(4, 1, 8, stages=2))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[6, 8]", "[8, 6]", "stages.0.width: must rise (got 8, 6); the last is the largest"),
        ("[6, 8]", "[8, 8]", "stages.0.width: must rise (got 8, 8); the last is the largest"),
        ("[6, 8]", "[]", "stages.0.width: "),
        ("[6, 8]", "[0, 8]", "stages.0.width.0: "),
        ("[6, 8]", "[4, 8]", "stages.0.width: 4 is a width of the stage before as well, so layer 1.1 would change"),
    ],
)
def test_widths_that_make_no_sense_are_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(SpaceError, match=re.escape(message)):
        loaded(tmp_path, DEFINITION.replace(old, new))


def test_a_text_without_its_sizes_is_none() -> None:
    sizes = Sizes((8,), ((2, 4), (4,), (6, 8)))
    assert sizes.stages == (0, 2)
    assert sizes.parse("w2|w8+x+y") == ([0, 1], "x+y")
    assert sizes.parse("w2+x") is sizes.parse("w2|w4+x") is sizes.parse("w2|w8") is None

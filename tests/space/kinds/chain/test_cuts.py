"""Uniform cuts of known networks."""

from itertools import pairwise

import numpy as np
import pytest

from surrogate_nas.space.kinds.chain.cuts import Cut, all_cuts, cut_code, named_cuts
from surrogate_nas.space.kinds.chain.elastic import ElasticSpace
from surrogate_nas.space.load import load_space

KNOWN = ("efficientnet_lite0", "mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small", "resnet18")


def elastic(name: str) -> ElasticSpace:
    space = load_space(name)
    assert isinstance(space, ElasticSpace)
    return space


@pytest.mark.parametrize("name", KNOWN)
def test_the_last_cut_is_the_whole_network(name: str) -> None:
    space = elastic(name)
    assert cut_code(space, all_cuts(space)[-1]).tolist() == space.largest().tolist()
    assert next(iter(space.known)) == "the whole network"


@pytest.mark.parametrize("name", KNOWN)
def test_cuts_have_names_in_the_spaces_of_known_networks(name: str) -> None:
    space = elastic(name)
    cuts = named_cuts(space)
    assert list(space.known) == list(cuts)
    codes = np.stack(list(cuts.values()))
    assert len(np.unique(codes, axis=0)) == len(codes)
    np.testing.assert_array_equal(space.effective(codes), codes)
    assert space.is_connected(codes).all()
    # Nothing is larger than the whole network.
    assert space.flops(codes, space.network).argmax() == 0


def test_other_spaces_have_the_names_of_their_files_alone() -> None:
    assert all("ResNet" in name for name in load_space("images32").known)
    assert not load_space("images224").known


def test_a_cut_is_the_same_in_every_stage() -> None:
    lite0 = elastic("efficientnet_lite0")
    text = lite0.format(cut_code(lite0, Cut(resolution=1, width=0, expansion=0, depth=1)))
    assert text.startswith("r160+w16|w32|w64|w88|w144+mbconv_k3_e3|identity+mbconv_k5_e3|identity+")
    assert text.endswith("mbconv_k5_e3|mbconv_k5_e3|mbconv_k5_e3|identity+mbconv_k3_e3")
    assert "resolution 2 of 4, width 1 of 2, expansion 1 of 3, 1 layer fewer" in named_cuts(lite0)


def test_hidden_channels_are_cut_as_expansions_are() -> None:
    large = elastic("mobilenet_v3_large")
    text = large.format(cut_code(large, all_cuts(large)[-1]._replace(expansion=0)))
    assert text.startswith(("r224+mbconv_k3_h32_re|", "r224+mbconv_k3_h32_re+"))
    assert "mbconv_k5_h40_se_re" in text


@pytest.mark.parametrize("field", ["resolution", "width", "expansion", "depth"])
def test_a_deeper_cut_is_smaller(field: str) -> None:
    lite0 = elastic("efficientnet_lite0")
    whole = all_cuts(lite0)[-1]
    largest = max(getattr(cut, field) for cut in all_cuts(lite0))
    places = range(largest + 1) if field == "depth" else range(largest, -1, -1)
    codes = lite0.effective(np.stack([cut_code(lite0, whole._replace(**{field: one})) for one in places]))
    flops = lite0.flops(codes, lite0.network)
    assert all(smaller <= larger for larger, smaller in pairwise(flops))
    assert flops[-1] < flops[0]

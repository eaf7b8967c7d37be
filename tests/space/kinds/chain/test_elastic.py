"""Elastic depth and resolution: a small space against a list of it, and Once-for-All's against the paper."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.extremes import largest_count, parameter_range, smallest
from surrogate_nas.space.kinds.chain.elastic import ElasticSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec


def elastic(name: str) -> ElasticSpace:
    space = load_space(name)
    assert isinstance(space, ElasticSpace)
    return space


QUICK = elastic("quick_elastic")
CODES = QUICK.all_codes()
NETWORKS = np.unique(QUICK.effective(CODES), axis=0)


def test_codes_and_networks_are_counted() -> None:
    assert len(CODES) == QUICK.size == 2 * (2 * 3 * 3) ** 2
    assert len(NETWORKS) == 2 * (2 + 2**2 + 2**3) ** 2
    assert len(np.unique(QUICK.canonical(CODES), axis=0)) == len(np.unique(QUICK.canonical_keys(CODES))) == 392
    counts, ways = np.unique(QUICK.nonlinear_count(NETWORKS), return_counts=True)
    assert QUICK.counts.populations() == dict(zip(counts.tolist(), ways.tolist(), strict=True))
    assert largest_count(QUICK, QUICK.network) == counts.max() == 24


def test_effective_codes_are_of_the_same_network() -> None:
    live = QUICK.effective(CODES)
    assert np.array_equal(QUICK.effective(live), live)
    assert np.array_equal(live[:, 0], CODES[:, 0])
    assert np.array_equal(QUICK.canonical_keys(live), QUICK.canonical_keys(CODES))
    for measure in (QUICK.parameters, QUICK.flops):
        assert np.array_equal(measure(live, QUICK.network), measure(CODES, QUICK.network))
    # A layer that is left out is the last one.
    assert QUICK.digits(QUICK.effective([[1, 0, 2, 1, 1, 0, 2]])) == ["1012102"]


def chi_squared(drawn: np.ndarray, members: np.ndarray) -> float:
    found = QUICK.index(drawn)
    counts = np.bincount(found, minlength=QUICK.size)[QUICK.index(members)]
    assert counts.sum() == len(drawn)
    expected = len(drawn) / len(members)
    return float(((counts - expected) ** 2 / expected).sum())


def test_draws_are_uniform_over_networks() -> None:
    drawn = QUICK.sample(39_200, np.random.default_rng(0))
    # Chi-squared with 391 degrees of freedom: 500 is passed once in 6,000 times.
    assert chi_squared(drawn, NETWORKS) < 500


def test_draws_within_a_count_are_uniform_over_networks() -> None:
    members = NETWORKS[QUICK.nonlinear_count(NETWORKS) == 8]
    assert len(members) == QUICK.counts.populations()[8]
    drawn = QUICK.counts.draw(8, 100 * len(members), np.random.default_rng(1))
    freedom = len(members) - 1
    assert chi_squared(drawn, members) < freedom + 4 * np.sqrt(2 * freedom)


def test_draws_without_replacement_are_different_codes() -> None:
    drawn = QUICK.sample(QUICK.size, np.random.default_rng(0), replace=False)
    assert len(np.unique(drawn, axis=0)) == QUICK.size


@given(st.integers(0, QUICK.size - 1))
def test_text_is_read_as_it_was_written(position: int) -> None:
    code = CODES[position]
    assert np.array_equal(QUICK.parse(QUICK.format(code)), code)
    assert np.array_equal(QUICK.parse(QUICK.digits([code])[0]), code)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("r7+identity", "is 7 digits, or begins with its sizes, such as r8+ (resolution: r6, r8) (got 'r7+identity')"),
        ("r6", "is 7 digits, or begins with its sizes, such as r8+ (resolution: r6, r8) (got 'r6')"),
        ("r6+identity", "of the form BLOCK|BLOCK|BLOCK+BLOCK|BLOCK|BLOCK (got 'identity')"),
        ("2000000", "decision resolution of quick_elastic has choices 0 to 1"),
    ],
)
def test_text_that_is_no_architecture_is_refused(text: str, message: str) -> None:
    with pytest.raises(SpaceError, match=re.escape(message)):
        QUICK.parse(text)


def test_counts_do_not_depend_on_the_resolution_and_costs_do() -> None:
    small, large = CODES[: QUICK.size // 2], CODES[QUICK.size // 2 :]
    assert np.array_equal(small[:, 1:], large[:, 1:])
    assert np.array_equal(QUICK.parameters(small, QUICK.network), QUICK.parameters(large, QUICK.network))
    assert np.array_equal(QUICK.nonlinear_count(small), QUICK.nonlinear_count(large))
    assert (QUICK.flops(small, QUICK.network) < QUICK.flops(large, QUICK.network)).all()
    own = NetworkSpec(4, 1, 6, stages=2)
    assert np.array_equal(QUICK.flops(small, QUICK.network), QUICK.chain.flops(small[:, 1:], own))
    sizes = QUICK.parameters(CODES, QUICK.network)
    assert parameter_range(QUICK, QUICK.network) == (sizes.min(), sizes.max())


@pytest.mark.parametrize("sign", [1, -1])
def test_ends_of_a_cost_are_found_without_a_list(sign: int) -> None:
    def cost(codes: np.ndarray) -> np.ndarray:
        return sign * QUICK.flops(codes, QUICK.network).astype(np.float64)

    worst = CODES[[cost(CODES).argmax()]]
    assert cost(smallest(QUICK, cost, worst)[None])[0] == cost(CODES).min()


def test_counts_along_the_layers_begin_with_resizing() -> None:
    places = [layer for layer in QUICK.layout(QUICK.network) if not layer.is_fixed]
    assert [layer.decision for layer in places] == list(range(7))
    assert QUICK.layer_counts([1, 1, 0, 2, 0, 1, 1], places) == (0, 4, 2, 0, 2, 4, 4)


def test_graphs_have_a_node_for_the_resolution() -> None:
    graphs = QUICK.graphs([[0, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0]])
    assert np.array_equal(graphs.adjacency[0], np.eye(9, k=1, dtype=bool))
    names = QUICK.graph_types.names
    types = QUICK.graph_types
    assert graphs.num_types == len(names) == types.number == len(types.coarse_types())
    assert [names[node] for node in graphs.operations[0]] == ["input", "r6", *["mbconv_k3_e1"] * 6, "output"]
    differ = graphs.operations[0] != graphs.operations[1]
    assert differ.tolist() == [False, True, *[False] * 7]
    coarse = QUICK.graph_types.coarse_types()
    assert len({coarse[node] for node in graphs.operations[:, 1]}) == 2


def test_resolutions_stay_in_proportion() -> None:
    assert QUICK.sizes.sides(8) == [6, 8]
    assert elastic("ofa_mobilenetv3").sizes.sides(32) == [18, 23, 27, 32]
    assert elastic("ofa_mobilenetv3").sizes.sides(16) == [9, 11, 14, 16]


def test_resolutions_that_come_to_one_size_are_refused() -> None:
    message = "image_size must be at least 3 for the 2 resolutions of quick_elastic to differ (got 1: 1, 1 pixels)"
    with pytest.raises(SpaceError, match=re.escape(message)):
        QUICK.layout(NetworkSpec(4, 1, 1, stages=2))


def test_the_size_is_the_paper_s() -> None:
    """Once-for-All (arXiv 1908.09791) has ((3 x 3)^2 + (3 x 3)^3 + (3 x 3)^4)^5, about 2 x 10^19, at each size."""
    space = elastic("ofa_mobilenetv3")
    networks = sum(space.chain.counts.populations().values())
    assert networks == (9**2 + 9**3 + 9**4) ** 5
    assert round(networks / 1e19) == 2
    assert 4 * networks == sum(space.counts.populations().values())
    assert space.num_decisions == 1 + 5 * 4
    # Every unit has two to four layers of two activations, four with squeeze and excitation in three units.
    assert list(space.counts.populations()) == list(range(2 * 4 + 3 * 8, 2 * 8 + 3 * 16 + 1, 2))


def test_draws_of_a_large_space_are_of_their_count() -> None:
    space, rng = elastic("ofa_mobilenetv3"), np.random.default_rng(0)
    for count in (32, 44, 64):
        drawn = space.counts.draw(count, 50, rng)
        assert (space.nonlinear_count(drawn) == count).all()
        assert np.array_equal(space.effective(drawn), drawn)
    depths = (space.sample(9100, rng)[:, 1:5] < 9).sum(axis=1)
    shares = np.bincount(depths, minlength=5)[2:] / 9100
    np.testing.assert_allclose(shares, np.array([1, 9, 81]) / 91, atol=0.015)


def test_it_holds_mobilenetv3_large() -> None:
    """Its depths, kernels and nearest expansions at 224 pixels: the paper (arXiv 1905.02244, table 3) has 219 million.

    Ours lacks the layer of 1,280 channels behind the mean, 1.2 million.
    """
    space = elastic("ofa_mobilenetv3")
    code = space.parse("3" + "3099" + "1119" + "6000" + "6699" + "7779")
    flops = space.flops([code], NetworkSpec(24, 1, 224, classes=1000, stages=5))[0]
    assert flops == pytest.approx(219e6, rel=0.05)

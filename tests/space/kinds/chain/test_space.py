"""Chains: counted and drawn without listing, compared with a list of the whole space; and published networks."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surrogate_nas.errors import SpaceError
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.extremes import largest_count, parameter_range
from surrogate_nas.space.kinds.chain.skeleton import ChainStage, Skeleton
from surrogate_nas.space.kinds.chain.space import ChainSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec

TRUTH = Path(__file__).resolve().parents[5] / "shared" / "data" / "nasbench_macro.csv"
BLOCKS = ("skip", "mbconv_k3_e1", "mbconv_k3_e2", "mbconv_k3_e1_se", "conv_bn_relu_k1")


def chain(name: str) -> ChainSpace:
    space = load_space(name)
    assert isinstance(space, ChainSpace)
    return space


QUICK = chain("quick")
SPACES = st.lists(
    st.builds(
        ChainStage,
        st.sampled_from([2, 4]),
        st.sampled_from([1, 2]),
        st.lists(
            st.lists(st.sampled_from(BLOCKS), min_size=1, max_size=4, unique=True).map(tuple), min_size=1, max_size=3
        ).map(tuple),
    ),
    min_size=1,
    max_size=2,
).map(lambda stages: ChainSpace(Identity("any", "0" * 16), Skeleton((), tuple(stages), ()), 8))


@settings(max_examples=40, deadline=None)
@given(SPACES)
def test_counts_are_those_of_the_list(space: ChainSpace) -> None:
    codes = space.all_codes()
    values, ways = np.unique(space.nonlinear_count(codes), return_counts=True)
    assert space.counts.populations() == dict(zip(values.tolist(), ways.tolist(), strict=True))
    assert values[-1] == largest_count(space, space.network)
    sizes = space.parameters(codes, space.network)
    assert parameter_range(space, space.network) == (sizes.min(), sizes.max())
    places = [layer for layer in space.layout(space.network) if not layer.is_fixed]
    for code in codes[:: max(1, len(codes) // 5)]:
        assert sum(space.layer_counts(code, places)) == space.nonlinear_count([code])[0]


@settings(max_examples=20, deadline=None)
@given(SPACES, st.integers(0, 99))
def test_draws_within_a_count_are_of_that_count(space: ChainSpace, seed: int) -> None:
    for count in space.counts.populations():
        drawn = space.counts.draw(count, 7, np.random.default_rng(seed))
        assert drawn.shape == (7, space.num_decisions)
        assert (space.nonlinear_count(drawn) == count).all()


def test_draws_within_a_count_are_uniform() -> None:
    drawn = QUICK.index(QUICK.counts.draw(8, 13_000, np.random.default_rng(0)))
    members = np.flatnonzero(QUICK.nonlinear_count(QUICK.all_codes()) == 8)
    counts = np.bincount(drawn, minlength=QUICK.size)
    assert len(members) == 13
    assert counts[members].sum() == 13_000
    # Chi-squared with 12 degrees of freedom: 37.7 is passed once in 6,000 times.
    assert ((counts[members] - 1000) ** 2 / 1000).sum() < 37.7


def test_a_count_that_does_not_occur_is_refused() -> None:
    with pytest.raises(SpaceError, match=re.escape("no architecture of quick has 3 nonlinear functions")):
        QUICK.counts.draw(3, 1, np.random.default_rng(0))


@settings(max_examples=30, deadline=None)
@given(SPACES)
def test_canonical_codes_move_identities_only(space: ChainSpace) -> None:
    codes = space.all_codes()
    canonical = space.canonical(codes)
    assert np.array_equal(space.canonical(canonical), canonical)
    assert np.array_equal(space.parameters(codes, space.network), space.parameters(canonical, space.network))
    assert np.array_equal(space.flops(codes, space.network), space.flops(canonical, space.network))
    keys: dict[int, list[int]] = {}
    for key, row in zip(space.canonical_keys(codes).tolist(), canonical.tolist(), strict=True):
        assert keys.setdefault(key, row) == row
    assert len(keys) == len(np.unique(canonical, axis=0))


def test_graphs_are_chains_whose_types_tell_block_and_stage() -> None:
    code = QUICK.parse("0211")
    graphs = QUICK.graphs([code])
    assert np.array_equal(graphs.adjacency[0], np.eye(6, k=1, dtype=bool))
    assert graphs.operations[0, [0, -1]].tolist() == [1, 2]
    kinds = [QUICK.node_kinds[node - 3] for node in graphs.operations[0, 1:-1]]
    assert [(kind.stage, kind.block) for kind in kinds] == [
        (0, "identity"),
        (0, "mbconv_k3_e2_se"),
        (1, "mbconv_k3_e2_se"),
        (1, "mbconv_k3_e1"),
    ]
    assert graphs.num_types == 3 + len(QUICK.node_kinds) == 3 + len(QUICK.graph_types.operations)


@given(st.integers(0, QUICK.size - 1))
def test_text_is_read_as_it_was_written(position: int) -> None:
    code = QUICK.codes_at(np.array([position]))[0]
    assert np.array_equal(QUICK.parse(QUICK.format(code)), code)
    assert np.array_equal(QUICK.parse(QUICK.digits([code])[0]), code)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("identity|identity+identity", "is 4 digits or of the form BLOCK|BLOCK+BLOCK|BLOCK (got"),
        ("identity|identity+identity|identity", "unknown block 'identity' in layer 2.1; choose from mbconv_k3_e1, "),
        ("0020", "decision 2.1 of quick has choices 0 to 1"),
    ],
)
def test_text_that_is_no_architecture_is_refused(text: str, message: str) -> None:
    with pytest.raises(SpaceError, match=re.escape(message)):
        QUICK.parse(text)


@pytest.mark.parametrize("sizes", [QUICK.network, NetworkSpec(6, 1, 7, 1, 5, stages=2)])
def test_counts_are_those_of_the_networks(sizes: NetworkSpec) -> None:
    codes = QUICK.all_codes()[::7]
    built = [sum(p.numel() for p in build_network(QUICK, code, sizes).parameters()) for code in codes]
    assert QUICK.parameters(codes, sizes).tolist() == built


@pytest.mark.skipif(not TRUTH.exists(), reason="needs the table of trained networks")
def test_every_network_of_nasbench_macro_has_its_published_costs() -> None:
    space = chain("nasbench_macro")
    with TRUTH.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    codes = np.array([space.parse(row["code"]) for row in rows])
    assert len(np.unique(space.index(codes))) == space.size == 6561
    assert space.parameters(codes, space.network).tolist() == [int(row["params"]) for row in rows]
    assert space.flops(codes, space.network).tolist() == [int(row["flops"]) for row in rows]
    # What we take for one network has one accuracy there.
    accuracy = np.array([float(row["mean_acc"]) for row in rows])
    _, classes = np.unique(space.canonical_keys(codes), return_inverse=True)
    assert all(np.ptp(accuracy[classes == one]) == 0 for one in range(0, classes.max() + 1, 40))


def test_sizes_and_counts_are_those_of_the_papers() -> None:
    macro = chain("nasbench_macro")
    assert len(np.unique(macro.canonical_keys(macro.all_codes()))) == 3969  # (3 x 3) (3 x 7) (3 x 7)
    # EFS-NAS, arXiv 2412.14678: twice the 21 layers less the identities; four times with squeeze and excitation.
    mobilenet = chain("mobilenet")
    assert mobilenet.num_decisions == 21
    assert mobilenet.size == 6**6 * 7**15
    assert max(mobilenet.counts.populations()) == 42
    assert sum(mobilenet.counts.populations().values()) == mobilenet.size
    assert set(chain("mobilenet_se").counts.populations()) == {2 * n for n in mobilenet.counts.populations()}
    # FBNet, arXiv 1812.03443, section 3.1: 22 layers, nine choices, about 10^21.
    fbnet = chain("fbnet")
    assert fbnet.num_decisions == 22
    assert fbnet.size == sum(fbnet.counts.populations().values()) == 9**22 > 2**63


def test_spaces_beyond_64_bits_are_counted_and_drawn_from() -> None:
    fbnet, rng = chain("fbnet"), np.random.default_rng(0)
    for count in (0, 22, 44):
        assert (fbnet.nonlinear_count(fbnet.counts.draw(count, 50, rng)) == count).all()
    codes = fbnet.sample(100, rng)
    assert len(set(fbnet.canonical_keys(codes).tolist())) == 100


def test_the_skeleton_of_proxylessnas_holds_networks_around_330_million_operations() -> None:
    """EFS-NAS, arXiv 2412.14678, searches ImageNet's for 330 MFLOPs at 224 x 224."""
    space = chain("mobilenet")
    sizes = NetworkSpec(32, 1, 224, classes=1000, stages=6)
    flops = space.flops(space.sample(500, np.random.default_rng(0)), sizes)
    assert flops.min() < 330e6 < flops.max()

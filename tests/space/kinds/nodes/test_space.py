"""The spaces of DARTS and NAS-Bench-1Shot1: sizes of the papers, counts against listing, text, draws, costs."""

import re
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.extremes import largest_count, parameter_range
from surrogate_nas.space.kinds.nodes.node_cell import NodeCell
from surrogate_nas.space.kinds.nodes.space import NodeSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec


def node_space(name: str) -> NodeSpace:
    """Returns a space that comes with the project."""
    space = load_space(name)
    assert isinstance(space, NodeSpace)
    return space


DARTS = node_space("darts")
ONE, TWO, THREE = (node_space(f"nasbench1shot1_{number}") for number in (1, 2, 3))
OPERATIONS = ("skip_connect", "sep_conv_3x3")
TINY = NodeSpace(
    Identity("tiny", "0" * 16),
    [
        NodeCell("normal", 2, (2, 1), None, on_edges=True),
        NodeCell("reduction", 2, (1, 1), None, on_edges=True, reduces=True),
    ],
    OPERATIONS,
    NetworkSpec(channels=2, cells=1, image_size=8),
    stem=2,
)
OF_SPACES = pytest.mark.parametrize("space", [DARTS, ONE, TWO, THREE, TINY], ids=lambda space: space.name)


def test_darts_has_the_size_of_the_paper() -> None:
    """arXiv 1806.09055, section 2.1: about 10^9 cells of each kind, and so about 10^18 architectures."""
    cell = 1 * 3 * 6 * 10 * 7**8
    assert DARTS.size == cell**2 == 1_076_746_950_455_072_400
    assert not DARTS.listable


def test_nasbench1shot1_has_the_sizes_of_the_paper_counted_as_there() -> None:
    """Zela et al., arXiv 2001.10422, table 1, with loose ends.

    The paper's 6,240 and 363,648 count operations only of nodes that something takes in; its 29,160 counts all
    of them, as our sizes do.
    """
    assert [space.size for space in (ONE, TWO, THREE)] == [14_580, 29_160, 1_312_200]
    found = []
    for space in (ONE, TWO, THREE):
        (cell,) = space.cells
        ways = [list(combinations(range(1 + node), cell.parents[node])) for node in range(cell.nodes)]
        total = 0
        for chosen in product(*ways, combinations(range(1 + cell.nodes), cell.parts)):
            taken = {place for places in chosen for place in places}
            total += 3 ** len(taken - {0})
        found.append(total)
    assert found == [6_240, 16_632, 363_648]


def test_different_computations_and_classes_of_nasbench1shot1() -> None:
    """Counted here; with dead nodes dropped, and then with nodes renamed."""
    for space, computations, classes in [(ONE, 3_702, 2_685), (TWO, 12_474, 7_773)]:
        codes = space.all_codes()
        assert len(np.unique(space.effective(codes), axis=0)) == computations
        assert len(np.unique(space.canonical(codes), axis=0)) == classes


@OF_SPACES
@given(seed=st.integers(0, 2**32 - 1))
def test_text_and_digits_are_read_back(space: NodeSpace, seed: int) -> None:
    (code,) = space.sample(1, np.random.default_rng(seed))
    assert space.parse(space.format(code)).tolist() == code.tolist()
    assert space.parse(space.digits([code])[0]).tolist() == code.tolist()


def test_decisions_are_named_by_cell_and_node() -> None:
    names = [decision.name for decision in DARTS.decisions]
    assert names[:5] == [
        *("normal.2.operation_1", "normal.2.operation_2"),
        *("normal.3.inputs", "normal.3.operation_1", "normal.3.operation_2"),
    ]
    assert len(names) == 2 * (2 + 3 * 3)
    assert [decision.name for decision in ONE.decisions] == [
        *("1.operation", "2.operation", "3.inputs", "3.operation", "4.inputs", "4.operation"),
        "output",
    ]
    assert DARTS.decisions[2].choices == ("0&1", "0&2", "1&2")


@pytest.mark.parametrize("text", ["nonsense", "normal:|skip_connect~0|", "0" * 21, "reduction:|a~0|;normal:|a~0|"])
def test_text_that_is_no_architecture_is_refused(text: str) -> None:
    with pytest.raises(
        SpaceError, match=re.escape("an architecture of darts is 22 digits or of the form normal:|max_")
    ):
        DARTS.parse(text)


@pytest.mark.parametrize("space", [ONE, TWO, TINY], ids=lambda space: space.name)
def test_populations_are_those_of_the_listed_space(space: NodeSpace) -> None:
    counts, populations = np.unique(space.nonlinear_count(space.all_codes()), return_counts=True)
    assert space.counts.populations() == dict(zip(counts.tolist(), populations.tolist(), strict=True))


@OF_SPACES
def test_populations_add_up_to_the_space_and_draws_have_their_count(space: NodeSpace) -> None:
    populations = space.counts.populations()
    assert sum(populations.values()) == space.size
    for count in populations:
        drawn = space.counts.draw(count, 20, np.random.default_rng(count))
        assert drawn.shape == (20, space.num_decisions)
        assert set(space.nonlinear_count(drawn).tolist()) == {count}
    with pytest.raises(SpaceError, match=re.escape(f"(got {max(populations) + 1})")):
        space.counts.draw(max(populations) + 1, 1, np.random.default_rng(0))


def test_draws_within_a_count_are_uniform() -> None:
    codes = TINY.all_codes()
    counts = TINY.nonlinear_count(codes)
    for count, population in TINY.counts.populations().items():
        drawn = TINY.counts.draw(count, 30 * population, np.random.default_rng(count))
        often = np.bincount(TINY.index(drawn), minlength=TINY.size)
        assert not often[counts != count].any()
        if population > 1:
            assert stats.chisquare(often[counts == count]).pvalue > 1e-4


@OF_SPACES
def test_every_code_is_connected_and_equal_to_its_effective_code_in_all_counts(space: NodeSpace) -> None:
    codes = space.sample(50, np.random.default_rng(0))
    effective = space.effective(codes)
    assert space.is_connected(codes).all()
    for count in (space.nonlinear_count, space.canonical_keys):
        assert np.array_equal(count(codes), count(effective))
    for cost in (space.parameters, space.flops):
        assert np.array_equal(cost(codes, space.network), cost(effective, space.network))
    ours, theirs = space.graphs(codes), space.graphs(effective)
    assert np.array_equal(ours.operations, theirs.operations)
    assert np.array_equal(ours.adjacency, theirs.adjacency)


def test_classes_keep_parameters_flops_and_counts() -> None:
    codes = ONE.all_codes()[::7]
    canonical = ONE.canonical(codes)
    for cost in (ONE.parameters, ONE.flops):
        assert np.array_equal(cost(codes, ONE.network), cost(canonical, ONE.network))
    assert np.array_equal(ONE.nonlinear_count(codes), ONE.nonlinear_count(canonical))


def test_counts_of_a_network_are_those_of_its_cells() -> None:
    code = DARTS.sample(1, np.random.default_rng(3))[0]
    normal, reduction = DARTS.cell_nonlinear([code])[0].tolist()
    searched = [layer for layer in DARTS.layout(DARTS.network) if not layer.is_fixed]
    expected = [normal, normal, reduction, normal, normal, reduction, normal, normal]
    assert DARTS.layer_counts(code, searched) == tuple(expected)
    assert largest_count(DARTS, DARTS.network) == 8 * 8


@pytest.mark.parametrize("space", [ONE, TINY], ids=lambda space: space.name)
def test_the_range_of_parameters_is_that_of_the_listed_space(space: NodeSpace) -> None:
    sizes = space.parameters(space.all_codes(), space.network)
    assert parameter_range(space, space.network) == (sizes.min(), sizes.max())

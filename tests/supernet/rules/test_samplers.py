"""Path samplers draw by (seed, step) alone; earlier draws have no influence."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from surrogate_nas.errors import SettingsError
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.supernet.rules import samplers
from surrogate_nas.supernet.rules.samplers import (
    BLOCK,
    Balanced,
    BalancedWithin,
    Fair,
    Mixture,
    NearBudgets,
    PathSampler,
    PerGroup,
    Sandwich,
    WithinGroup,
)
from surrogate_nas.supernet.splits.bands import BandSplit, equal_bands
from surrogate_nas.supernet.splits.boxes import Box, whole_box
from surrogate_nas.supernet.splits.split import Split

WEIGHTS = np.array([1.0, 2.0, 5.0])
ENDS = np.array([[3] * 6, [1] * 6], dtype=np.int8)
SAMPLERS: dict[str, tuple[Callable[[Split, int], PathSampler], int]] = {
    "within a group": (lambda split, seed: WithinGroup(split, 1, seed), 1),
    "balanced": (lambda split, seed: Balanced(split, seed, WEIGHTS), 1),
    "balanced within": (lambda split, seed: BalancedWithin(split, WEIGHTS, split, 0, seed), 1),
    "per group": (PerGroup, 3),
    "sandwich": (lambda split, seed: Sandwich(ENDS, 2, split, None, seed), 4),
    "near budgets": (lambda split, seed: NearBudgets(PerGroup(split, seed), ENDS, 0.5, 1, seed), 3),
    "mixture": (lambda split, seed: Mixture(WithinGroup(split, 1, seed), Balanced(split, seed, WEIGHTS), 0.7, seed), 1),
    "sandwich of a group": (lambda split, seed: Sandwich(ENDS, 1, split, 2, seed), 3),
}


@pytest.fixture(scope="module")
def split(space: CellSpace) -> Split:
    return BandSplit(space, ((0, 1), (2,), (3,)))


@pytest.mark.parametrize("name", SAMPLERS)
class TestEverySampler:
    @settings(max_examples=20, deadline=None)
    @given(steps=st.lists(st.integers(0, 5000), min_size=1, max_size=8), seed=st.integers(0, 2**51))
    def test_draws_do_not_depend_on_earlier_ones(self, split: Split, name: str, steps: list[int], seed: int) -> None:
        make, _ = SAMPLERS[name]
        sampler = make(split, seed)
        for step in steps:
            assert (sampler.draw(step) == make(split, seed).draw(step)).all()

    def test_any_order_of_steps_gives_the_same(self, split: Split, name: str) -> None:
        sampler = SAMPLERS[name][0](split, 7)
        steps = [*range(1020, 1030), 0, 5000]
        forwards = [sampler.draw(step).tolist() for step in steps]
        backwards = [sampler.draw(step).tolist() for step in reversed(steps)]
        assert forwards == backwards[::-1]

    def test_a_step_has_its_number_of_connected_subnets(self, space: CellSpace, split: Split, name: str) -> None:
        make, subnets = SAMPLERS[name]
        sampler = make(split, 1)
        for step in (0, 1023, 1024):
            drawn = sampler.draw(step)
            assert (sampler.block(step // BLOCK)[step % BLOCK] == drawn).all()
            assert drawn.shape == (subnets, space.num_decisions)
            assert space.is_connected(drawn).all()

    def test_seeds_and_blocks_differ(self, split: Split, name: str) -> None:
        make, _ = SAMPLERS[name]

        def block(seed: int, start: int) -> list[object]:
            return [make(split, seed).draw(start + step).tolist() for step in range(5)]

        assert block(0, 0) != block(1, 0)
        assert block(0, 0) != block(0, 1024)


def test_within_a_group_stays_in_it(split: Split) -> None:
    sampler = WithinGroup(split, 1, 0)
    assert {int(split.assign(sampler.draw(step))[0]) for step in range(300)} == {1}


def test_balanced_draws_groups_by_weight(split: Split) -> None:
    sampler = Balanced(split, 0, WEIGHTS)
    drawn = np.concatenate([sampler.draw(step) for step in range(8192)])
    frequencies = np.bincount(split.assign(drawn), minlength=3)
    assert chisquare(frequencies, 8192 * WEIGHTS / WEIGHTS.sum()).pvalue > 1e-3


def test_weights_by_population_are_uniform_over_the_space(space: CellSpace, split: Split) -> None:
    sampler = Balanced(split, 0, np.array(split.population(), np.float64))
    drawn = np.concatenate([sampler.draw(step) for step in range(8192)])
    connected = space.all_codes()[space.is_connected(space.all_codes())]
    for column in range(space.num_decisions):
        expected = np.bincount(connected[:, column], minlength=5) / len(connected)
        assert chisquare(np.bincount(drawn[:, column], minlength=5), 8192 * expected).pvalue > 1e-3


def test_per_group_takes_one_of_each_in_order(split: Split) -> None:
    sampler = PerGroup(split, 5)
    for step in range(200):
        assert split.assign(sampler.draw(step)).tolist() == [0, 1, 2]


class TestSandwich:
    def test_both_ends_are_in_every_step_and_the_others_are_uniform(self, space: CellSpace, split: Split) -> None:
        blocks = np.concatenate([Sandwich(ENDS, 3, split, None, 0).block(number) for number in range(8)])
        assert (blocks[:, :2] == ENDS).all()
        connected = space.all_codes()[space.is_connected(space.all_codes())]
        for column in range(space.num_decisions):
            expected = np.bincount(connected[:, column], minlength=5) / len(connected)
            drawn = np.bincount(blocks[:, 2:, column].ravel(), minlength=5)
            assert chisquare(drawn, drawn.sum() * expected).pvalue > 1e-3
        assert (blocks[:, 2] != blocks[:, 3]).any(axis=1).mean() > 0.99

    def test_others_stay_in_the_subspace(self, split: Split) -> None:
        block = Sandwich(ENDS, 2, split, 1, 0).block(0)
        assert set(split.assign(block[:, 2:].reshape(-1, 6)).tolist()) == {1}


class TestNearBudgets:
    def test_the_share_is_drawn_from_the_list_and_the_first_subnets_stay(self, split: Split) -> None:
        below = PerGroup(split, 0)
        blocks = [NearBudgets(below, ENDS, 0.3, 1, 0).block(number) for number in range(4)]
        before = [below.block(number) for number in range(4)]
        changed = np.stack([(new != old).any(axis=2) for new, old in zip(blocks, before, strict=True)])
        assert not changed[:, :, 0].any()
        assert abs(changed[:, :, 1:].mean() - 0.3) < 0.03
        listed = np.concatenate(blocks)[changed.reshape(-1, 3)]
        of_each = [(listed == end).all(axis=1).mean() for end in ENDS]
        assert sum(of_each) == pytest.approx(1)
        assert abs(of_each[0] - 0.5) < 0.05

    def test_the_other_sampler_keeps_its_draws(self, split: Split) -> None:
        below = WithinGroup(split, 1, 0)
        before = below.block(0).copy()
        assert (NearBudgets(below, ENDS, 1.0, 0, 0).block(0) != before).any()
        assert (below.block(0) == before).all()


class TestFair:
    """FairNAS, arXiv 1907.01845: every operation of an edge is drawn as often as every other, in every step."""

    def test_every_step_has_every_operation_of_every_edge_once(self, space: CellSpace) -> None:
        sampler = Fair(space, whole_box(space), 3)
        for step in range(300):
            drawn = sampler.draw(step)
            assert drawn.shape == (5, 6)
            assert drawn.dtype == np.int8
            assert (np.sort(drawn, axis=0) == np.arange(5)[:, None]).all()

    @settings(max_examples=20, deadline=None)
    @given(steps=st.lists(st.integers(0, 5000), min_size=1, max_size=4), seed=st.integers(0, 2**51))
    def test_draws_do_not_depend_on_earlier_ones(self, space: CellSpace, steps: list[int], seed: int) -> None:
        sampler = Fair(space, whole_box(space), seed)
        for step in steps:
            assert (sampler.draw(step) == Fair(space, whole_box(space), seed).draw(step)).all()

    def test_permutations_of_edges_are_uniform_and_independent(self, space: CellSpace) -> None:
        sampler = Fair(space, whole_box(space), 0)
        blocks = np.concatenate([sampler.block(number) for number in range(20)])  # (steps, 5, 6)
        orders = (blocks[:, :, 0] @ 5 ** np.arange(5)).tolist()
        _, frequencies = np.unique(orders, return_counts=True)
        assert len(frequencies) == 120
        assert chisquare(frequencies).pvalue > 1e-3
        pairs = np.bincount(5 * blocks[:, 0, 1].astype(int) + blocks[:, 0, 4], minlength=25)
        assert chisquare(pairs).pvalue > 1e-3

    def test_edges_with_fewer_choices_repeat_them_as_equally_as_can_be(self, space: CellSpace) -> None:
        box: Box = ((3,), (0, 2), (1, 2, 3, 4), (0, 1, 2, 3), (2, 3), (1, 2, 4))
        sampler = Fair(space, box, 1)
        blocks = np.concatenate([sampler.block(number) for number in range(4)])
        assert blocks.shape[1:] == (4, 6)
        for edge, allowed in enumerate(box):
            counts = np.stack([(blocks[:, :, edge] == choice).sum(axis=1) for choice in allowed])
            assert (counts.sum(axis=0) == 4).all()
            assert counts.max() - counts.min() == (1 if 4 % len(allowed) else 0)
            if len(allowed) > 1:
                assert chisquare(counts.sum(axis=1)).pvalue > 1e-3

    @pytest.mark.parametrize("name", ["quick_elastic", "ofa_mobilenetv3"])
    def test_in_elastic_depth_numbers_of_layers_and_blocks_are_fair(self, name: str) -> None:
        chain = load_space(name)
        sampler = Fair(chain, whole_box(chain), 0)
        blocks = sampler.block(0)
        assert chain.is_drawn(blocks.reshape(-1, chain.num_decisions)).all()
        for run in chain.elastic_runs:
            for column in run:
                left_out = len(chain.decisions[column].choices) - 1
                counts = np.stack([(blocks[:, :, column] == choice).sum(axis=1) for choice in range(left_out)])
                assert (counts.max(axis=0) - counts.min(axis=0)).max() <= 1
            depths = (blocks[:, :, run] != left_out).sum(axis=2)
            each = np.stack([(depths == depth).sum(axis=1) for depth in range(len(run) + 1)])
            assert (each.max(axis=0) - each.min(axis=0)).max() <= 1

    def test_a_step_has_something_to_train(self) -> None:
        chain = CellSpace(
            Identity("chain", "1" * 16), ((0, 1), (1, 2), (2, 3)), ("none", "nor_conv_3x3"), NetworkSpec(2, 1, 8)
        )
        sampler = Fair(chain, whole_box(chain), 0)
        for step in range(200):
            drawn = sampler.draw(step)
            assert (np.sort(drawn, axis=0) == [[0], [1]]).all()
            assert chain.is_connected(drawn).any()


def test_a_mixture_draws_a_share_of_the_steps_from_its_own_subspace(split: Split) -> None:
    own, common = WithinGroup(split, 2, 5), WithinGroup(split, 0, 5)
    drawn = np.concatenate([Mixture(own, common, 0.7, 5).block(number)[:, 0] for number in range(4)])
    shares = np.bincount(split.assign(drawn), minlength=3) / len(drawn)
    assert shares[1] == 0
    assert shares[2] == pytest.approx(0.7, abs=0.03)
    for share, other in ((0.0, common), (1.0, own)):
        assert (Mixture(own, common, share, 5).block(0) == other.block(0)).all()


def test_a_fair_step_of_a_part_has_as_many_subnets_as_asked(space: CellSpace) -> None:
    box: Box = ((2, 3), *whole_box(space)[1:])
    codes = Fair(space, box, 0, subnets=5).block(0)
    assert codes.shape[1] == 5
    assert set(np.unique(codes[:, :, 0])) == {2, 3}


def test_a_subspace_that_is_hardly_ever_drawn_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samplers, "_MOST_ROUNDS", 3)
    space = load_space("mobilenet")
    first, *others = space.counts.populations()
    split = BandSplit(space, [[first], others])
    bands = BandSplit(space, equal_bands(space, 4))
    sampler = BalancedWithin(bands, np.arange(1.0, 5.0), split, 0, 0)
    with pytest.raises(SettingsError, match="draws hardly any architecture of the subspace '12 nonlinear'"):
        sampler.draw(0)

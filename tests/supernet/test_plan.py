"""Plans assign architectures to members, and lengths and copies to trainings."""

import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy.stats import chisquare
from torch import nn

from surrogate_nas._support.definitions import find_definition
from surrogate_nas.errors import SettingsError, SpaceError
from surrogate_nas.nets.layers import Reduction
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.supernet.plan import SupernetPlan, make_plan
from surrogate_nas.supernet.rules.samplers import Balanced, BalancedWithin, Fair, Mixture, PerGroup, WithinGroup
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.supernet.splits.gradient_cuts import Cut
from tests.supernet.trainings import SOFT

MakePlan = Callable[..., SupernetPlan]


@pytest.mark.parametrize(
    ("settings", "members", "sampler"),
    [
        ({}, 1, BalancedWithin),
        ({"split": "nonlinear"}, 2, WithinGroup),
        ({"groups": 4}, 4, WithinGroup),
        ({"bands": [[0, 1, 2], [3]], "sampler": "per_group"}, 2, WithinGroup),
        ({"split": "none"}, 1, WithinGroup),
        ({"preset": "spos"}, 1, WithinGroup),
        ({"preset": "fairnas"}, 1, Fair),
        ({"preset": "fsnas"}, 5, WithinGroup),
        ({"preset": "fsnas", "sampler": "fair"}, 5, Fair),
        ({"preset": "fsnas", "sampler": "nonlinear"}, 5, BalancedWithin),
        ({"preset": "efsnas"}, 1, Balanced),
        ({"preset": "dynas"}, 1, WithinGroup),
        ({"sharing": "one", "groups": 4}, 1, Balanced),
        ({"sharing": "one", "groups": 4, "sampler": "per_group"}, 1, PerGroup),
        ({"sharing": "one", "split": "edge"}, 1, Balanced),
        ({"sharing": "depth"}, 1, Balanced),
        ({"sharing": "depth", "sampler": "nonlinear"}, 1, Balanced),
        ({"sharing": "depth", "sampler": "per_group"}, 1, PerGroup),
        ({"sharing": "depth", "sampler": "uniform"}, 1, Balanced),
    ],
    ids=str,
)
def test_members_and_their_samplers(
    plan_of: MakePlan, space: CellSpace, settings: dict[str, Any], members: int, sampler: type
) -> None:
    plan = plan_of(**settings)
    assert plan.members == members
    codes = space.all_codes()
    owners = plan.member_of(codes)
    assert set(owners.tolist()) == set(range(members))
    for member in range(members):
        paths = plan.sampler(plan.training(member))
        assert type(paths) is sampler
        drawn = np.concatenate([paths.draw(step) for step in range(100)])
        drawn = drawn[space.is_connected(drawn)]
        assert (plan.member_of(drawn) == member).all()


def test_equal_steps_but_where_sampling_is_uniform_over_the_space(plan_of: MakePlan) -> None:
    assert [plan_of(steps=100, groups=2).steps(member) for member in range(2)] == [100, 100]
    uniform = plan_of(steps=1000, sampler="uniform", groups=4)
    population = np.array(uniform.split.population())
    steps = [uniform.steps(member) for member in range(4)]
    assert sum(steps) == pytest.approx(4000, abs=2)
    assert np.allclose(np.array(steps) / 4000, population / population.sum(), atol=1e-3)
    assert plan_of(steps=1, sampler="uniform", groups=4).steps(0) >= 1
    assert plan_of(steps=100, sampler="uniform", split="none").steps(0) == 100


def test_uniform_sampling_over_shared_weights_follows_the_populations(plan_of: MakePlan) -> None:
    plan = plan_of(sharing="depth", sampler="uniform", groups=3)
    sampler = plan.sampler(plan.training(0))
    drawn = np.concatenate([sampler.draw(step) for step in range(4096)])
    shares = np.bincount(plan.split.assign(drawn), minlength=3) / 4096
    assert np.allclose(shares, np.array(plan.split.population()) / sum(plan.split.population()), atol=0.03)


def test_members_differ_in_weights_and_draws_and_repeat_with_the_seed(plan_of: MakePlan) -> None:
    first, again = plan_of(seed=5, groups=2), plan_of(seed=5, groups=2)

    def weights(plan: SupernetPlan, member: int) -> torch.Tensor:
        return nn.utils.parameters_to_vector(plan.build(member).parameters())

    assert torch.equal(weights(first, 0), weights(again, 0))
    assert not torch.equal(weights(first, 0), weights(first, 1))
    assert not torch.equal(weights(first, 0), weights(plan_of(seed=6, groups=2), 0))
    draws = [plan.sampler(plan.training(1)).block(0) for plan in (first, again, plan_of(seed=6, groups=2))]
    assert (draws[0] == draws[1]).all()
    assert (draws[0] != draws[2]).any()


@pytest.mark.parametrize(
    ("groups", "thresholds", "shared"), [(2, (15,), 1), (3, (15, 20), 1), (4, (10, 20, 30), 0)], ids=str
)
def test_copies_of_fifteen_cells_are_those_of_the_paper(
    space: CellSpace, groups: int, thresholds: tuple[float, ...], shared: int
) -> None:
    # arXiv 2412.14678: a running count above the threshold takes the next copy
    settings = SupernetSettings(sharing="depth", groups=groups)
    network = make_plan(space, NetworkSpec(1, 5, 4, 1, 2), settings, 0).build(0)
    assert network.thresholds == thresholds
    copies = [len(layer) for layer in network.layers if isinstance(layer, nn.ModuleList)]
    assert copies == [1] * 5 * shared + [groups] * 5 * (3 - shared)


def test_thresholds_scale_with_the_depth_and_may_be_given(plan_of: MakePlan) -> None:
    assert plan_of(sharing="depth").build(0).thresholds == (3,)  # a third of 3 cells of 3 functions each
    given = plan_of(sharing="depth", thresholds=[0.5, 0.7, 0.9], shared_stages=2).build(0)
    assert given.thresholds == (4.5, 6.3, 8.1)
    assert [len(layer) for layer in given.layers if isinstance(layer, nn.ModuleList)] == [1, 1, 4]


def test_a_network_of_one_stage_still_has_copies(space: CellSpace) -> None:
    plan = make_plan(space, NetworkSpec(1, 2, 4, 1, 2, stages=1), SupernetSettings(sharing="depth"), 0)
    assert [len(layer) for layer in plan.build(0).layers if isinstance(layer, nn.ModuleList)] == [2, 2]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"groups": 5}, "supernet.groups must be at most 4"),
        ({"split": "edge", "split_edge": "4<-0"}, "supernet.split_edge must be one of 1<-0, 2<-0"),
        ({"split": "edge", "steps": 1}, "supernet.steps must leave a step for each of 2 phases"),
        ({"split": "gradient", "split_rounds": 6}, "supernet.steps must leave a step for each of 7 phases"),
        ({"bands": []}, "exactly once, with no empty band (got [])"),
        ({"bands": [[0], [2, 3]]}, "(0, 1, 2, 3) exactly once, with no empty band (got [[0], [2, 3]])"),
        (
            {"sharing": "depth", "thresholds": [0.5, 0.3]},
            "supernet.thresholds must ascend (got [0.5, 0.3])",
        ),
        ({"sharing": "depth", "shared_stages": 3}, "supernet.shared_stages must be at most 2, or no cell has copies"),
    ],
    ids=str,
)
def test_settings_that_do_not_fit_the_space_are_found_before_training(
    plan_of: MakePlan, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError, match=re.escape(message)):
        plan_of(**settings)


def test_many_groups_need_thresholds() -> None:
    operations = ("none", "nor_conv_1x1", "skip_connect")
    edges = ((0, 1), (1, 2), (2, 3), (3, 4))
    chain = CellSpace(Identity("chain", "1" * 16), edges, operations, NetworkSpec(1, 1, 4))
    settings = {"sharing": "depth", "groups": 5}
    with pytest.raises(SettingsError, match=re.escape("supernet.thresholds must be given for more than 4 groups")):
        make_plan(chain, NetworkSpec(1, 1, 4), SupernetSettings.model_validate(settings), 0)
    thresholds = {"thresholds": [0.2, 0.4, 0.6, 0.8]}
    make_plan(chain, NetworkSpec(1, 1, 4), SupernetSettings.model_validate(settings | thresholds), 0)


def test_sizes_that_do_not_fit_the_space_are_refused(space: CellSpace) -> None:
    with pytest.raises(SpaceError, match=re.escape("image_size must be a multiple of 4")):
        make_plan(space, NetworkSpec(1, 1, 6), SupernetSettings(), 0)


def test_a_plan_reaches_a_worker_unchanged(plan_of: MakePlan, space: CellSpace) -> None:
    plan = plan_of(groups=3)
    copy: SupernetPlan = pickle.loads(pickle.dumps(plan))
    assert (copy.member_of(space.all_codes()) == plan.member_of(space.all_codes())).all()
    draws = [each.sampler(each.training(2)).draw(3) for each in (copy, plan)]
    assert (draws[0] == draws[1]).all()
    assert copy.settings == plan.settings


CUTS = (Cut(0, ((0, 1, 4), (2, 3))), Cut(3, ((0, 2), (1, 3, 4))), Cut(5, ((0,), (1, 2, 3, 4))))


class TestGradientPlan:
    """Plans of a split by gradients before, between and after the cuts."""

    def test_members_are_known_from_the_beginning_and_subspaces_at_the_end(
        self, plan_of: MakePlan, space: CellSpace
    ) -> None:
        plan = plan_of(split="gradient")
        assert plan.members == 4
        assert plan.names == ("split by gradients during training",)
        assert not plan.is_known
        with pytest.raises(SettingsError, match="known only once the parents of the split are trained"):
            plan.member_of(space.all_codes())
        assert not plan.with_cuts(CUTS[:1]).is_known
        known = plan.with_cuts(CUTS)
        assert known.is_known
        assert known.names[:2] == (
            "none/skip_connect/avg_pool_3x3 on 1<-0; none/nor_conv_1x1 on 3<-0",
            "none/skip_connect/avg_pool_3x3 on 1<-0; skip_connect/nor_conv_3x3/avg_pool_3x3 on 3<-0",
        )
        codes = space.all_codes()
        expected = np.where(np.isin(codes[:, 0], (2, 3)), 2 + (codes[:, 5] != 0), np.isin(codes[:, 3], (1, 3, 4)))
        assert (known.member_of(codes) == expected).all()

    def test_every_training_draws_from_its_subspace(self, plan_of: MakePlan) -> None:
        plan = plan_of(split="gradient").with_cuts(CUTS)
        drawn = {training.name: plan.sampler(training).block(0)[:, 0] for phase in plan.phases for training in phase}
        assert set(drawn["parent"][:, 0].tolist()) == {0, 1, 2, 3, 4}
        assert set(drawn["parent-1"][:, 0].tolist()) == {2, 3}
        assert set(drawn["parent-1"][:, 5].tolist()) == {0, 1, 2, 3, 4}
        assert set(drawn["2"][:, 5].tolist()) == {0}
        for member in range(4):
            assert (plan.member_of(drawn[str(member)]) == member).all()

    def test_momenta_are_kept_apart_by_a_decision_that_is_open(self, plan_of: MakePlan) -> None:
        plan = plan_of(split="gradient", momentum_groups="separated", seed=4)
        first = plan.separation(plan.phases[0][0])
        assert first is not None
        cuts = (Cut(first, ((3,), (0, 1, 2, 4))), *CUTS[1:])
        known = plan.with_cuts(cuts)
        assert known.separation(known.phases[1][0]) not in (None, first)
        assert known.separation(known.phases[1][1]) == first


def test_momenta_are_apart_by_an_edge_that_the_seed_draws(plan_of: MakePlan) -> None:
    plans = [plan_of(preset="dynas", seed=seed) for seed in range(40)]
    assert {plan.separation(plan.training(0)) for plan in plans} == set(range(6))
    joint = plan_of()
    assert joint.separation(joint.training(0)) is None
    children = plan_of(preset="fsnas", momentum_groups="separated")
    assert {children.separation(children.training(member)) for member in range(5)}.isdisjoint({0, None})


def test_a_parent_draws_from_all_subspaces_by_the_rule_of_the_sampler(plan_of: MakePlan) -> None:
    for sampler, kind in (("balanced", Balanced), ("per_group", PerGroup), ("uniform", Balanced)):
        plan = plan_of(parent_share=0.5, sampler=sampler, groups=3)
        parent = plan.phases[0][0]
        assert type(plan.sampler(parent)) is kind
        assert plan.subspace(parent) == "whole space"


def test_more_groups_than_architectures_are_refused() -> None:
    few = CellSpace(Identity("few", "1" * 16), ((0, 1), (1, 2)), ("none", "skip_connect"), NetworkSpec(1, 1, 4))
    settings = {"split": "gradient", "split_rounds": 1, "steps": 9}
    with pytest.raises(SettingsError, match=re.escape("split_rounds makes 2 groups of the 1 architectures of few")):
        make_plan(few, NetworkSpec(1, 1, 4), SupernetSettings.model_validate(settings), 0)
    with pytest.raises(
        SettingsError, match=re.escape("split_rounds must be at most 2, the number of decisions of few")
    ):
        make_plan(few, NetworkSpec(1, 1, 4), SupernetSettings.model_validate(settings | {"split_rounds": 3}), 0)
    with pytest.raises(SettingsError, match="the subspace 'none on 1<-0' of few is empty"):
        make_plan(few, NetworkSpec(1, 1, 4), SupernetSettings(split="edge"), 0)


def test_a_space_of_one_size_has_no_complexity() -> None:
    flat = CellSpace(Identity("flat", "1" * 16), ((0, 1), (1, 2)), ("skip_connect", "none"), NetworkSpec(1, 1, 4))
    with pytest.raises(SettingsError, match="needs architectures that differ in size"):
        make_plan(flat, NetworkSpec(1, 1, 4), SupernetSettings(split="none", schedule="complexity"), 0)


@pytest.mark.parametrize(("power", "expected"), [(0, [1, 1, 1, 1]), (2, [1, 4, 9, 16])])
@pytest.mark.parametrize("rules", [{"split": "none"}, {"groups": 3, "sharing": "depth"}], ids=str)
def test_counts_are_drawn_by_their_place_to_a_power(
    plan_of: MakePlan, space: CellSpace, rules: dict[str, Any], power: float, expected: list[int]
) -> None:
    plan = plan_of(sampler="nonlinear", nonlinear_power=power, **rules)
    paths = plan.sampler(plan.training(0))
    drawn = np.concatenate([paths.draw(step) for step in range(4000)])
    shares = np.bincount(space.nonlinear_count(drawn), minlength=4) / len(drawn)
    assert shares == pytest.approx(np.array(expected) / sum(expected), abs=0.025)


@pytest.mark.parametrize(
    "rules", [{"split": "edge", "split_edge": "3<-0"}, {"bands": [[0, 2], [1, 3]]}, {"split": "nonlinear"}], ids=str
)
def test_sub_supernets_draw_what_the_whole_space_would_draw_of_theirs(
    plan_of: MakePlan, space: CellSpace, rules: dict[str, Any]
) -> None:
    plan = plan_of(sampler="nonlinear", parent_share=0.5, **rules)
    codes = space.all_codes()[space.is_connected(space.all_codes())]
    count, group = space.nonlinear_count(codes), plan.split.assign(codes)
    likely = np.array([1, 4, 9, 16])[count] / np.bincount(count)[count]
    parent = plan.sampler(plan.phases[0][0])
    assert {*plan.split.assign(parent.block(0)[:, 0]).tolist()} == {*range(plan.split.groups)}
    for member in range(plan.members):
        paths = plan.sampler(plan.training(member))
        drawn = np.concatenate([paths.block(number)[:, 0] for number in range(4)])
        assert (plan.split.assign(drawn) == member).all()
        own = likely * (group == member)
        expected = np.bincount(count, own / own.sum(), minlength=4)
        seen = np.bincount(space.nonlinear_count(drawn), minlength=4)
        possible = expected > 0
        assert not seen[~possible].any()
        assert chisquare(seen[possible], expected[possible] * len(drawn)).pvalue > 1e-4


@pytest.mark.parametrize(
    ("rules", "groups"),
    [({}, 4), ({"preset": "oneshot", "split": "edge"}, 5), ({"groups": 2}, 2), ({"preset": "spos"}, 1)],
    ids=str,
)
def test_architectures_are_told_apart_by_split_or_bands(plan_of: MakePlan, rules: dict[str, Any], groups: int) -> None:
    assert plan_of(**rules).drawn_by.groups == groups


def test_one_member_of_every_replica_answers(plan_of: MakePlan, space: CellSpace) -> None:
    plan, single = plan_of(groups=2, replicas=3), plan_of(groups=2)
    assert (plan.members, plan.members_per_replica) == (6, 2)
    codes = space.sample(50, np.random.default_rng(0))
    answering = plan.members_of(codes)
    np.testing.assert_array_equal(answering % 2, np.repeat(single.member_of(codes)[:, None], 3, axis=1))
    np.testing.assert_array_equal(answering // 2, np.broadcast_to([0, 1, 2], (50, 3)))
    np.testing.assert_array_equal(single.members_of(codes)[:, 0], single.member_of(codes))
    trainings = [plan.training(member) for member in range(6)]
    assert len({plan.image_seed(training) for training in trainings}) == 3
    assert plan.image_seed(trainings[0]) == plan.image_seed(trainings[1]) == single.image_seed(single.training(0))
    weights = [next(plan.build(training.stream).parameters()) for training in trainings]
    assert not any(torch.equal(one, weights[0]) for one in weights[1:])
    assert torch.equal(weights[0], next(single.build(0).parameters()))


@pytest.mark.parametrize(("reductions", "convolutions"), [("light", 2), ("residual", 3)])
def test_the_settings_say_what_stands_between_stages(plan_of: MakePlan, reductions: str, convolutions: int) -> None:
    plan = plan_of(split="none", reductions=reductions)
    assert plan.network.light_reductions == (reductions == "light")
    between = [layer for layer in plan.build(0).layers if isinstance(layer, Reduction)]
    assert between
    for layer in between:
        assert sum(isinstance(module, nn.Conv2d) for module in layer.modules()) == convolutions


def test_replicas_of_a_split_that_is_found_on_the_way_are_refused(plan_of: MakePlan) -> None:
    with pytest.raises(ValidationError, match="it needs replicas = 1"):
        plan_of(preset="gmnas", replicas=2)


def test_a_soft_branch_draws_mostly_uniformly_from_its_own_subspace(plan_of: MakePlan, space: CellSpace) -> None:
    assert plan_of(preset="soft", steps=100).settings.own_share == SOFT["own_share"]
    plan = plan_of(**SOFT, parent_keeps=1)
    sampler = plan.sampler(plan.training(0))
    assert isinstance(sampler, Mixture)
    groups = plan.split.assign(sampler.block(0)[:, 0])
    # 30% as the parent draws, of which the first two bands get 1 + 4 parts of 30.
    assert (groups == 0).mean() == pytest.approx(0.7 + 0.3 * 5 / 30, abs=0.05)
    assert [training.steps for training in plan.phases[-1]] == [10, 0]
    assert plan.steps(1) == 90
    assert plan.sampler(plan.phases[0][0]).draw(0).shape == (1, space.num_decisions)


@pytest.mark.parametrize(
    "changes",
    [
        {"sampler": "uniform"},
        {"sampler": "balanced"},
        {"split": "edge"},
        {"split": "edge", "sampler": "fair"},
        {"sampler": "sandwich"},
        {"split": "gradient", "split_rounds": 1},
        {"schedule": "complexity", "momentum_groups": "separated"},
    ],
    ids=str,
)
def test_soft_branches_combine_with_splits_samplers_and_rules(plan_of: MakePlan, changes: dict[str, Any]) -> None:
    plan = plan_of(**SOFT | changes)
    if plan.rules.split.is_late:
        plan = plan.with_cuts([Cut(0, ((0, 1), (2, 3, 4)))])
    agenda = plan.agenda(plan.training(0))
    drawn = np.array([code for step in range(90, 100) for code in agenda.step(step).codes])
    assert len(drawn) >= 10


@pytest.mark.parametrize("kept", [2, 3])
def test_a_parent_that_keeps_all_is_no_split(plan_of: MakePlan, kept: int) -> None:
    with pytest.raises(SettingsError, match=f"parent_keeps must leave a sub-supernet .* at most 1 .got {kept}"):
        plan_of(**SOFT, parent_keeps=kept)


def test_a_space_with_one_count_is_trained_as_one_supernet_by_default(tmp_path: Path) -> None:
    text = find_definition("spaces", "quick").read_text(encoding="utf-8")
    text = text.replace('["identity", "mbconv_k3_e1", "mbconv_k3_e2_se"]', '["mbconv_k3_e2", "mbconv_k5_e2"]')
    path = tmp_path / "one_count.toml"
    path.write_text(re.sub(r"\[\[constraints\]\]\nwithout.*\nlayers.*\n", "", text), encoding="utf-8")
    space, network = load_space(str(path)), NetworkSpec(4, 1, 8, stages=2)
    plan = make_plan(space, network, SupernetSettings(steps=50), seed=0)
    assert (plan.members, plan.settings.split, plan.settings.last_rate) == (1, "none", 0)
    with pytest.raises(SettingsError, match="groups must be at most 1"):
        make_plan(space, network, SupernetSettings(steps=50, preset="soft"), seed=0)


def test_a_sub_supernet_that_hardly_trains_is_refused() -> None:
    space = load_space("mobilenet")
    first, *others = space.counts.populations()
    settings = SupernetSettings(split="nonlinear", sharing="whole", sampler="uniform", bands=[[first], others])
    with pytest.raises(SettingsError, match="the sub-supernet of '12 nonlinear' would train for 1 of 20,000 steps"):
        make_plan(space, space.network, settings, 0)

"""Which member answers for what, how long it trains, and where copies change."""

import pickle
import re
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from torch import nn

from surrogate_nas.errors import SettingsError, SpaceError
from surrogate_nas.space.cell import CellSpace
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space
from surrogate_nas.supernet.paths import Balanced, PerGroup, WithinGroup
from surrogate_nas.supernet.plan import SupernetPlan, make_plan
from surrogate_nas.supernet.settings import SupernetSettings

MakePlan = Callable[..., SupernetPlan]


@pytest.mark.parametrize(
    ("settings", "members", "sampler"),
    [
        ({}, 2, WithinGroup),
        ({"groups": 4}, 4, WithinGroup),
        ({"bands": [[0, 1, 2], [3]], "sampler": "per_group"}, 2, WithinGroup),
        ({"split": "none"}, 1, Balanced),
        ({"sharing": "depth"}, 1, Balanced),
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
        paths = plan.sampler(member)
        assert type(paths) is sampler
        drawn = np.concatenate([paths.draw(step) for step in range(100)])
        assert (plan.member_of(drawn) == member).all()


def test_equal_steps_but_where_sampling_is_uniform_over_the_space(plan_of: MakePlan) -> None:
    assert [plan_of(steps=100).steps(member) for member in range(2)] == [100, 100]
    uniform = plan_of(steps=1000, sampler="uniform", groups=4)
    population = uniform.split.population()
    steps = [uniform.steps(member) for member in range(4)]
    assert sum(steps) == pytest.approx(4000, abs=2)
    assert np.allclose(np.array(steps) / 4000, population / population.sum(), atol=1e-3)
    assert plan_of(steps=1, sampler="uniform", groups=4).steps(0) >= 1
    assert plan_of(steps=100, sampler="uniform", split="none").steps(0) == 100


def test_uniform_sampling_over_shared_weights_follows_the_populations(plan_of: MakePlan) -> None:
    plan = plan_of(sharing="depth", sampler="uniform", groups=3)
    drawn = np.concatenate([plan.sampler(0).draw(step) for step in range(4096)])
    shares = np.bincount(plan.split.assign(drawn), minlength=3) / 4096
    assert np.allclose(shares, plan.split.population() / plan.split.population().sum(), atol=0.03)


def test_members_differ_in_weights_and_draws_and_repeat_with_the_seed(plan_of: MakePlan) -> None:
    first, again = plan_of(seed=5), plan_of(seed=5)

    def weights(plan: SupernetPlan, member: int) -> torch.Tensor:
        return nn.utils.parameters_to_vector(plan.build(member).parameters())

    assert torch.equal(weights(first, 0), weights(again, 0))
    assert not torch.equal(weights(first, 0), weights(first, 1))
    assert not torch.equal(weights(first, 0), weights(plan_of(seed=6), 0))
    assert (first.sampler(1).draw(9) == again.sampler(1).draw(9)).all()


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
    chain = CellSpace("chain", "1" * 16, edges, operations, NetworkSpec(1, 1, 4))
    settings = {"sharing": "depth", "groups": 5}
    with pytest.raises(SettingsError, match=re.escape("supernet.thresholds must be given for more than 4 groups")):
        make_plan(chain, NetworkSpec(1, 1, 4), SupernetSettings.model_validate(settings), 0)
    thresholds = {"thresholds": [0.2, 0.4, 0.6, 0.8]}
    make_plan(chain, NetworkSpec(1, 1, 4), SupernetSettings.model_validate(settings | thresholds), 0)


def test_other_kinds_of_space_are_refused() -> None:
    with pytest.raises(SpaceError, match=re.escape("cell spaces only (got Mock)")):
        make_plan(Mock(spec=Space), NetworkSpec(1, 1, 4), SupernetSettings(), 0)


def test_a_plan_reaches_a_worker_unchanged(plan_of: MakePlan, space: CellSpace) -> None:
    plan = plan_of(groups=3)
    copy: SupernetPlan = pickle.loads(pickle.dumps(plan))
    assert (copy.member_of(space.all_codes()) == plan.member_of(space.all_codes())).all()
    assert (copy.sampler(2).draw(3) == plan.sampler(2).draw(3)).all()
    assert copy.settings == plan.settings

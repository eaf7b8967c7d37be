"""Members and parents evaluate what a common scale of labels needs."""

from typing import Any

import numpy as np
import pytest

from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.supernet.ballots import ballot_of
from surrogate_nas.supernet.splits.gradient_cuts import Cut
from tests.supernet.trainings import SOFT, MakePlan


def test_who_evaluates_what_for_a_common_scale(plan_of: MakePlan, space: CellSpace) -> None:
    codes = space.sample(60, np.random.default_rng(0))
    plan = plan_of(**SOFT, parent_keeps=1, replicas=2, scale="count", scale_architectures=3)
    ballot = ballot_of(plan, codes)
    assert ballot.members.shape == (len(ballot.codes), 2, 2)
    in_branch = plan.member_of(ballot.codes) == 0
    asked = (ballot.members[:, :, 1] != -1).all(axis=1)
    assert not asked[~in_branch].any()
    assert np.bincount(space.nonlinear_count(ballot.codes[asked])).tolist() == [3, 3]
    assert np.unique(ballot.members[asked, :, 1], axis=0).tolist() == [[1, 3]]
    assert (ballot.members[:, :, 0] == plan.members_of(ballot.codes)).all()
    both = ballot_of(plan_of(**SOFT, parent_keeps=1, replicas=2, label_both=True), codes)
    assert ((both.members[:, :, 1] != -1).all(axis=1) == (plan.member_of(both.codes) == 0)).all()
    assert len(both.codes) == len(np.unique(space.effective(codes), axis=0))
    plain = ballot_of(plan_of(**SOFT), codes)
    assert plain.members.shape[2] == 1


@pytest.mark.parametrize(
    ("changes", "numbers"),
    [
        ({}, [[1_000_000], [1_000_001]]),
        ({"parent_share": 0.0, "inherit": None}, [[0, 1], [2, 3]]),
        ({"parent_share": 0.0, "inherit": None, "groups": 3}, [[0, 1, 2], [3, 4, 5]]),
    ],
    ids=str,
)
def test_the_scale_is_the_parents_or_the_mean_of_all(
    plan_of: MakePlan, space: CellSpace, changes: dict[str, Any], numbers: list[list[int]]
) -> None:
    plan = plan_of(**SOFT | changes, replicas=2, scale="subspace")
    ballot = ballot_of(plan, space.sample(20, np.random.default_rng(0)))
    asked = (ballot.members[:, :, 1:] != -1).all(axis=(1, 2))
    assert np.unique(ballot.members[asked, :, 1:], axis=0).tolist() == [numbers]
    assert plan.asks_parents == (numbers[0][0] >= 1_000_000)
    if plan.asks_parents:
        assert [plan.training(of_each[0]).name for of_each in numbers] == ["parent", "parent-of-1"]
        assert plan.steps(numbers[0][0]) == 90


def test_parents_of_a_late_split_are_asked_for_their_own_halves(plan_of: MakePlan, space: CellSpace) -> None:
    plan = plan_of(**SOFT | {"split": "gradient", "split_rounds": 2, "sampler": "uniform"}, label_both=True)
    cuts = [Cut(0, ((0, 1), (2, 3, 4))), Cut(1, ((0, 1), (2, 3, 4))), Cut(1, ((0, 1), (2, 3, 4)))]
    plan = plan.with_cuts(cuts)
    ballot = ballot_of(plan, space.sample(200, np.random.default_rng(0)))
    own, parent = ballot.members[:, 0].T
    assert (parent == 1_000_000 + own // 2).all()
    assert {plan.training(number).name for number in parent.tolist()} == {"parent-0", "parent-1"}

"""Supernets draw a share of their subnets near the budgets, from a list that a run keeps."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas._support.files import write_json
from surrogate_nas.costs.budget import Budget
from surrogate_nas.errors import StoreError
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.study.problem.budget_band import BudgetBand
from surrogate_nas.study.problem.near_budgets import (
    read_near_budgets,
    with_supernets_near_budgets,
    write_near_budgets,
)
from surrogate_nas.study.problem.problem import Problem


def asked(problem: Problem, share: float) -> Problem:
    """Returns the problem with a share of subnets near the budgets."""
    supernet = problem.settings.supernet.model_copy(update={"in_band": share})
    plan = replace(problem.plan, settings=supernet)
    return replace(problem, plan=plan, settings=problem.settings.model_copy(update={"supernet": supernet}))


def test_without_a_share_nothing_changes(problem: Problem, tmp_path: Path) -> None:
    assert with_supernets_near_budgets(problem, RunFolder(tmp_path), pytest.fail) is problem


def test_the_list_is_of_the_band_and_is_drawn_from(problem: Problem, tmp_path: Path) -> None:
    near = with_supernets_near_budgets(asked(problem, 1.0), RunFolder(tmp_path), pytest.fail)
    codes = np.array(near.plan.near, dtype=np.int8)
    band = BudgetBand(problem.budgets, problem.settings.labels.band)
    assert band.holds(problem.cautious_costs.evaluate(codes)).all()
    assert len(np.unique(codes, axis=0)) == len(codes) > 5
    for training in near.plan.phases[-1]:
        drawn = near.plan.sampler(training).block(0)[:, 0]
        assert {tuple(code) for code in drawn.tolist()} <= set(near.plan.near)
        assert training.group is None or set(near.plan.split.assign(drawn).tolist()) == {training.group}
    assert (near.pool.find(codes) >= 0).all()
    assert near.member_identity(0) != asked(problem, 1.0).member_identity(0)


def test_a_run_keeps_its_list_whatever_the_budgets_become(problem: Problem, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    near = with_supernets_near_budgets(asked(problem, 0.5), folder, pytest.fail)
    write_near_budgets(folder.near_budgets, near)
    other = replace(asked(problem, 0.5), budgets=(Budget("flops", 1.0),))
    assert with_supernets_near_budgets(other, folder, pytest.fail).plan.near == near.plan.near


def test_budgets_that_nothing_is_near_leave_the_sampler_alone(problem: Problem, tmp_path: Path) -> None:
    notes: list[str] = []
    impossible = replace(asked(problem, 0.5), budgets=(Budget("flops", 1.0),))
    found = with_supernets_near_budgets(impossible, RunFolder(tmp_path), notes.append)
    assert found.plan.near == ()
    assert notes == ["supernets: no architecture was found near the budgets; all subnets are the sampler's"]
    folder = RunFolder(tmp_path)
    write_near_budgets(folder.near_budgets, found)
    assert with_supernets_near_budgets(asked(problem, 0.5), folder, notes.append).plan.near == ()
    training = found.plan.phases[-1][0]
    np.testing.assert_array_equal(found.plan.sampler(training).block(0), problem.plan.sampler(training).block(0))


@pytest.mark.quick_cases(2)
@pytest.mark.parametrize(
    "change",
    [{"space": "another"}, {"codes": None}, {"codes": ["9" * 40]}, {"codes": [7]}, {"codes": "012"}],
    ids=str,
)
def test_damage_is_said(problem: Problem, tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "near_budgets.json"
    write_near_budgets(path, with_supernets_near_budgets(asked(problem, 1.0), RunFolder(tmp_path / "x"), pytest.fail))
    assert len(read_near_budgets(path, problem.space)) > 5
    write_json(path, json.loads(path.read_text()) | change)
    with pytest.raises(StoreError, match="is damaged, or of another space: restore it, or start over"):
        read_near_budgets(path, problem.space)

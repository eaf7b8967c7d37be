"""The console shows costs, budgets and networks before any training."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from surrogate_nas.costs.budget import Budget
from surrogate_nas.costs.cost import COSTS, format_cost
from surrogate_nas.data.classes.balance import images_behind
from surrogate_nas.hardware.tables.stored import StoredCosts
from surrogate_nas.nets.pretrained.first_weights import FirstWeights
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.space.pool import Pool
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.report.feasibility import show_feasibility


def test_feasibility_is_shown_next_to_the_budgets(problem: Problem, capsys: pytest.CaptureFixture[str]) -> None:
    show_feasibility(problem, StudyConsole())
    out, errors = capsys.readouterr()
    (flops,) = [line.split("│")[1:-1] for line in out.splitlines() if "flops" in line]
    assert [cell.strip() for cell in flops][4] == format_cost("flops", problem.budgets[1].limit)
    assert "latency_ms" in out
    assert "deployed network: 4 channels, 1 cell per stage, 8x8 images" in errors
    assert "all budgets together: " in errors


def test_a_part_of_a_space_is_not_called_the_space(problem: Problem, capsys: pytest.CaptureFixture[str]) -> None:
    part = Pool(problem.space, problem.codes[5000:6001], complete=False, uniform=1000)
    show_feasibility(replace(problem, pool=part, table=problem.table.over(part)), StudyConsole())
    out, _ = capsys.readouterr()
    assert "1.56e+04 architectures: medians and shares of 1,000 random" in " ".join(out.split())


def test_ram_without_a_planner_is_said_to_be_a_count(
    planning: Callable[..., tuple[Problem, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    planned, _ = planning(lambda _: 1.0)
    show_feasibility(planned, StudyConsole())
    assert "RAM is predicted, for Known; a margin of 10.0% is added" in capsys.readouterr().err
    values, described = planned.table.evaluate(planned.codes), planned.table.describe()
    described["ram_bytes"] = {"kind": "counted", "planner": "a count"}
    counted = StoredCosts(planned.pool, values, {}, described, {})
    show_feasibility(replace(planned, table=counted), StudyConsole())
    said = capsys.readouterr().err
    assert "RAM is counted, not planned: " in said
    assert "Set --planner tflite_micro, vela or executorch to be sure" in said


def test_a_study_without_latency_says_whose_is_measured(problem: Problem, capsys: pytest.CaptureFixture[str]) -> None:
    note = "latency: finalists alone are measured, since no budget is on it; add --set hardware.latency=always"
    show_feasibility(problem, StudyConsole())
    assert note not in capsys.readouterr().err
    values = problem.table.evaluate(problem.codes)
    flops = (problem.budgets[1],)
    without = StoredCosts(problem.pool, {"flops": values["flops"]}, {}, problem.table.describe())
    show_feasibility(replace(problem, table=without, budgets=flops), StudyConsole())
    out, errors = capsys.readouterr()
    assert note in errors
    assert "latency_ms" not in out


def test_what_may_be_wrong_with_the_images_is_a_warning(problem: Problem, capsys: pytest.CaptureFixture[str]) -> None:
    warned = replace(problem, splits=replace(problem.splits, warnings=("half of them are blue",)))
    show_feasibility(warned, StudyConsole(quiet=True))
    first, few = capsys.readouterr().err.splitlines()
    assert first == "warning: images: half of them are blue"
    assert few.startswith("warning: a label will rest on 60 validation images only, fewer than 200: ")


def test_cross_validated_labels_are_said(problem: Problem, capsys: pytest.CaptureFixture[str]) -> None:
    folded = replace(problem, plan=replace(problem.plan, folds=3))
    show_feasibility(folded, StudyConsole())
    said = " ".join(capsys.readouterr().err.split())
    assert "trained 3 times, and a label is the mean" in said
    assert "labels: cross-validated over 3 folds (labels.folds)" in said
    assert "a label rests on 180 images instead of 60" in said
    assert "a label will rest on 180 validation images only" in said
    assert "add images, since labels rest on all of them already" in said


def test_balanced_labels_rest_on_fewer_images(problem: Problem, capsys: pytest.CaptureFixture[str]) -> None:
    held_out = problem.splits.validation
    uneven = held_out.take(torch.cat([torch.nonzero(held_out.labels == 0).flatten(), torch.arange(10)]))
    splits = replace(problem.splits, validation=uneven, balance=True)
    show_feasibility(replace(problem, splits=splits), StudyConsole(quiet=True))
    behind = images_behind(uneven.labels, by_class=True)
    assert behind < len(uneven)
    assert f"rest on {behind} validation images only" in capsys.readouterr().err


class WithLargest:
    """A space whose costliest architecture is a known network."""

    part_names = ()

    def __init__(self, problem: Problem) -> None:
        self._space, self._code = problem.space, problem.codes[np.argmax(problem.costs["flops"])]

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as the space has it
        return getattr(self._space, name)

    def largest(self) -> Any:  # noqa: ANN401 - as above
        return self._code


@pytest.mark.parametrize(("share", "said"), [(2.0, "the whole network meets"), (0.5, "the whole network is beyond")])
def test_a_study_says_what_the_whole_network_costs_that_it_takes_parts_of(
    problem: Problem, share: float, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    most = float(problem.costs["flops"].max())
    budget = Budget("flops", share * most)
    space: Any = WithLargest(problem)
    known = replace(problem, space=space, budgets=(budget,), first_weights=FirstWeights("file", "space", {}))
    show_feasibility(known, StudyConsole())
    errors = " ".join(capsys.readouterr().err.split())
    costs = f"{COSTS['flops'].title} {format_cost('flops', most)} (budget {format_cost('flops', share * most)})"
    assert f"{said} the budget: {costs}." in errors
    assert "network.channels" not in errors

"""Everything that can be checked is checked before any training."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.costs.settings import BudgetSettings
from surrogate_nas.errors import BudgetError
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.study.problem.prepare import prepare, store
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run


def test_percentiles_are_of_connected_architectures(problem: Problem) -> None:
    (flops,) = [budget for budget in problem.budgets if budget.cost == "flops"]
    values = problem.costs["flops"][problem.connected]
    assert flops.limit == np.percentile(values, 40, method="higher")


def test_preparing_changes_nothing_and_storing_twice_changes_nothing_more(
    problem: Problem, run_of: Callable[..., Run], run_copy: Path
) -> None:
    folder = RunFolder(run_copy)
    before = {path: path.stat().st_mtime_ns for path in run_copy.rglob("*")}
    again = prepare(run_of(run_copy, problem.settings))
    assert {path: path.stat().st_mtime_ns for path in run_copy.rglob("*")} == before
    store(again, folder)
    kept = [folder.costs, *folder.images.iterdir()]
    assert [path.stat().st_mtime_ns for path in kept] == [before[path] for path in kept]


def test_a_budget_on_an_unknown_energy_names_the_remedy(
    problem: Problem, run_of: Callable[..., Run], tmp_path: Path
) -> None:
    settings = problem.settings.model_copy(update={"budget": BudgetSettings.model_validate({"energy": "5mJ"})})
    with pytest.raises(BudgetError, match=r"--energy-budget needs costs of energy, .*, in a column DEVICE_energy_mj"):
        prepare(run_of(tmp_path / "run", settings))

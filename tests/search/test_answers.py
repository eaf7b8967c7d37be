"""Many budgets and fronts against brute force."""

import numpy as np
import pytest

from surrogate_nas.costs.budget import Budget
from surrogate_nas.costs.protocol import CostModel
from surrogate_nas.errors import BudgetError, SettingsError
from surrogate_nas.search.answers import answer_many, pareto_front
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.protocol import Predictor
from surrogate_nas.space.space import Space


def test_each_set_of_budgets_has_its_best(
    space: Space, predictor: Predictor, costs: CostModel, evaluator: Evaluator
) -> None:
    whole = evaluator.whole_space()
    asked = [[Budget("latency_ms", 3.0)], [Budget("latency_ms", 4.0), Budget("params", 5e5)], [Budget("params", 1.0)]]
    answers = answer_many(space, predictor, costs, asked, misses=3)
    for budgets, answer in zip(asked[:2], answers[:2], strict=True):
        within = whole.connected & np.all([whole.costs[b.cost] <= b.limit for b in budgets], axis=0)
        assert answer.predicted_percent == whole.mean[within].max()
        assert answer.feasible == within.sum()
        assert all(answer.costs[budget.cost] <= budget.limit for budget in budgets)
    none = answers[2]
    assert none.code is None
    assert len(none.nearest) == 3
    smallest = whole.costs["params"][whole.connected].min()
    assert none.nearest_excess[0] == pytest.approx(smallest - 1)


def test_a_front_against_two_costs(space: Space, predictor: Predictor, costs: CostModel, evaluator: Evaluator) -> None:
    one = pareto_front(space, predictor, costs, ["latency_ms"])
    two = pareto_front(space, predictor, costs, ["latency_ms", "params"])
    assert len(two.codes) >= len(one.codes)
    whole = evaluator.whole_space()
    rows = np.random.default_rng(0).permutation(np.flatnonzero(whole.connected))[:300]
    at = whole.take(space.index(two.codes))
    for row in rows.tolist():
        beaten = (
            (at.mean >= whole.mean[row])
            & (at.costs["latency_ms"] <= whole.costs["latency_ms"][row])
            & (at.costs["params"] <= whole.costs["params"][row])
        )
        assert beaten.any()
    assert two.hypervolume > 0


def test_what_cannot_be_traded_is_said(space: Space, predictor: Predictor, costs: CostModel) -> None:
    with pytest.raises(SettingsError, match=r"one or two of the costs latency_ms, params \(got energy_mj\)"):
        pareto_front(space, predictor, costs, ["energy_mj"])
    with pytest.raises(BudgetError, match="'energy_mj'"):
        answer_many(space, predictor, costs, [[Budget("energy_mj", 1.0)]])

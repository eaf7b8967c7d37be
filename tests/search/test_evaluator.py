"""The evaluator refuses bad inputs, remembers results, and chooses among isomorphic architectures."""

import re
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from surrogate_nas.costs.budget import Budget
from surrogate_nas.costs.protocol import CostModel
from surrogate_nas.errors import BudgetError, CostTableError, SettingsError, StoreError, SurrogateNasError
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.protocol import Predictor
from surrogate_nas.space.pool import drawn_pool
from surrogate_nas.space.space import Codes, Space

Answers = dict[str, NDArray[np.float64] | None]


@dataclass
class OddScores:
    mean: NDArray[np.float64]
    std: NDArray[np.float64]


@dataclass
class OddScorer:
    """A predictor with some of its answers replaced."""

    answers: Answers

    def predict(self, codes: Codes) -> OddScores:
        merged = {"mean": np.zeros(len(codes)), "std": np.zeros(len(codes)), **self.answers}
        return OddScores(**{name: values for name, values in merged.items() if values is not None})


@dataclass
class OddCosts:
    """A cost model with some of its answers replaced, or left out where they are None."""

    answers: Answers
    names: tuple[str, ...] = ("latency_ms", "params")

    def evaluate(self, codes: Codes) -> dict[str, NDArray[np.float64]]:
        merged = {**{name: np.ones(len(codes)) for name in self.names}, **self.answers}
        return {name: values for name, values in merged.items() if values is not None}


def test_a_budget_on_an_unknown_cost_is_refused(space: Space, predictor: Predictor, costs: CostModel) -> None:
    with pytest.raises(BudgetError, match=re.escape("one of latency_ms, params (got 'flops')")):
        Evaluator(space, predictor, costs, [Budget("flops", 1e6)])


def test_a_cost_model_without_costs_is_refused(space: Space, predictor: Predictor) -> None:
    with pytest.raises(SettingsError, match="at least one cost"):
        Evaluator(space, predictor, OddCosts({}, names=()), [])


def test_the_primary_cost_is_the_first_budgets(space: Space, predictor: Predictor, costs: CostModel) -> None:
    assert Evaluator(space, predictor, costs, [Budget("params", 1e6), Budget("latency_ms", 1)]).primary == "params"
    assert Evaluator(space, predictor, costs, []).primary == "latency_ms"


@pytest.mark.parametrize(
    ("answers", "error", "message"),
    [
        ({"mean": np.array([1.0, np.nan])}, StoreError, "mean must be finite (got nan for architecture 000001)"),
        ({"std": np.ones(3)}, StoreError, "std must have shape (2,) (got (3,))"),
        ({"params": np.array([np.inf, 1])}, CostTableError, "params must be a finite number (got inf"),
        ({"latency_ms": np.ones((2, 1))}, CostTableError, "latency_ms must have shape (2,) (got (2, 1))"),
        ({"latency_ms": None}, CostTableError, "names latency_ms but does not return it"),
    ],
)
def test_bad_answers_are_named(space: Space, answers: Answers, error: type[SurrogateNasError], message: str) -> None:
    bad = Evaluator(
        space, OddScorer(_only(answers, "mean", "std")), OddCosts(_only(answers, "latency_ms", "params")), []
    )
    with pytest.raises(error, match=re.escape(message)):
        bad.evaluate(space.all_codes()[:2])


def _only(answers: Answers, *names: str) -> Answers:
    return {name: values for name, values in answers.items() if name in names}


def test_the_whole_space_is_scored_once(evaluator: Evaluator, calls: list[int], space: Space) -> None:
    whole = evaluator.whole_space()
    again = evaluator.evaluate(space.all_codes()[[5, 3]])
    assert calls == [space.size]
    assert again.mean.tolist() == whole.mean[[5, 3]].tolist()
    assert again.violation.shape == (2, 3)  # two budgets and connectivity


@pytest.mark.parametrize(
    ("digits", "connected"),
    [("000000", False), ("333000", False), ("000033", False), ("000100", True), ("300030", True), ("301003", True)],
)
@pytest.mark.parametrize("limits", [[], [100.0], [100.0, 100.0]])
def test_an_architecture_without_a_path_is_infeasible_under_any_budgets(
    space: Space, predictor: Predictor, costs: CostModel, limits: list[float], digits: str, connected: bool
) -> None:
    # Edges are 1<-0, 2<-0, 2<-1, 3<-0, 3<-1, 3<-2; the digit 0 cuts an edge.
    budgets = [Budget("latency_ms", limit) for limit in limits]
    found = Evaluator(space, predictor, costs, budgets).evaluate(space.check([space.parse(digits)]))
    assert found.violation.shape == (1, len(limits) + 1)
    assert (found.violation[:, :-1] < 0).all()
    assert found.violation[0, -1] == (-1 if connected else 1)
    assert found.feasible.tolist() == found.connected.tolist() == [connected]


def test_the_cheapest_alike_is_that_of_a_search_by_hand(evaluator: Evaluator, space: Space) -> None:
    whole = evaluator.whole_space()
    canonical = space.index(space.canonical(whole.codes))
    settled = space.index(evaluator.cheapest_alike(whole.codes))
    for row in np.random.default_rng(0).choice(space.size, 40, replace=False):
        members = np.flatnonzero(canonical == canonical[row])
        expected = min(members, key=lambda member: (whole.excess[member], whole.primary_cost[member], member))
        assert settled[row] == expected


def test_a_pool_stands_for_a_space_that_cannot_be_listed(large: Evaluator) -> None:
    pool = drawn_pool(large.space, 200, np.random.default_rng(0))
    evaluator = Evaluator(large.space, large._predictor, large._costs, large.budgets, pool=pool)
    listed = evaluator.whole_space()
    np.testing.assert_array_equal(listed.codes, pool.codes)
    np.testing.assert_array_equal(evaluator.evaluate(pool.codes[5:9]).mean, listed.mean[5:9])
    other = large.space.sample(3, np.random.default_rng(9))
    np.testing.assert_array_equal(evaluator.evaluate(other).mean, large.evaluate(other).mean)
    assert large.pool is None

"""The result of trials alone, where the space was not scored as a whole."""

import numpy as np
import pytest

from surrogate_nas.costs.budget import Budget
from surrogate_nas.costs.protocol import CostModel
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.protocol import Predictor
from surrogate_nas.search.result import summarise
from surrogate_nas.space.space import Space


def test_isomorphic_trials_count_once_among_the_finalists(evaluator: Evaluator) -> None:
    space = evaluator.space
    # The second and third differ in a dead edge only; the same computation, so the cheaper one stands for both.
    trials = evaluator.evaluate(space.check([[0, 0, 0, 4, 0, 0], [0, 0, 0, 1, 0, 0], [0, 0, 0, 1, 4, 0]]))
    result = summarise(space, trials, None, finalists=3, opened="created", notes=("a note",))
    assert not result.exact
    assert result.notes == ("a note",)
    assert trials.feasible.all()
    cheaper = trials.codes[1 + int(np.argmin(trials.primary_cost[1:]))].tolist()
    assert len(result.finalists) == 2
    assert cheaper in result.finalists.tolist()
    assert result.smallest_costs["params"] == trials.costs["params"].min()
    assert result.best is not None
    assert trials.mean[result.best] == trials.mean.max()


DISCONNECTED = [[0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0]]
CONNECTED = [[3, 3, 3, 3, 3, 3], [0, 0, 0, 1, 0, 0], [0, 0, 0, 3, 0, 0]]


@pytest.mark.parametrize("exact", [False, True])
def test_architectures_without_a_path_are_neither_answers_nor_near_misses(
    space: Space, predictor: Predictor, costs: CostModel, exact: bool
) -> None:
    # The limit is so low that an unconnected architecture exceeds it by the least, even with its own excess of 1.
    evaluator = Evaluator(space, predictor, costs, [Budget("latency_ms", 0.01)])
    trials = evaluator.evaluate(space.check(DISCONNECTED + CONNECTED))
    latency = costs.evaluate(trials.codes)["latency_ms"]
    assert trials.excess.argmin() == latency.argmin() < len(DISCONNECTED)
    whole = trials if exact else None
    result = summarise(space, trials, whole, finalists=5, opened="created", notes=())
    assert result.best is None
    assert len(result.finalists) == len(result.pareto) == 0
    nearest = sorted(CONNECTED, key=lambda code: costs.evaluate(np.array([code], np.int8))["latency_ms"][0])
    assert result.nearest.tolist() == nearest
    connected = costs.evaluate(np.array(CONNECTED, np.int8))
    assert result.smallest_costs == {name: values.min() for name, values in connected.items()}


def test_without_budgets_only_connected_architectures_are_answers(
    space: Space, predictor: Predictor, costs: CostModel
) -> None:
    evaluator = Evaluator(space, predictor, costs, [])
    trials = evaluator.evaluate(space.check(DISCONNECTED + CONNECTED))
    trials.mean[:] = [99, 98, 1, 2, 3]  # architectures without computation have the best scores and the least latency
    result = summarise(space, trials, None, finalists=5, opened="created", notes=())
    assert result.feasible.tolist() == [False, False, True, True, True]
    assert result.best == 4
    assert result.finalists.tolist() == CONNECTED[::-1]
    assert {tuple(code) for code in result.pareto} <= {tuple(code) for code in CONNECTED}
    assert len(result.nearest) == 0


def test_where_nothing_seen_is_connected_there_is_nothing_to_say(
    space: Space, predictor: Predictor, costs: CostModel
) -> None:
    trials = Evaluator(space, predictor, costs, []).evaluate(space.check(DISCONNECTED))
    result = summarise(space, trials, None, finalists=5, opened="created", notes=())
    assert result.best is None
    assert result.finalists.shape == result.pareto.shape == result.nearest.shape == (0, 6)
    assert result.smallest_costs == {}

"""The scan's plan against brute force over the whole space."""

import numpy as np
import pytest

from surrogate_nas.costs.budget import Budget
from surrogate_nas.costs.pareto import pareto_mask
from surrogate_nas.costs.protocol import CostModel
from surrogate_nas.errors import SettingsError
from surrogate_nas.search.candidates import Rows, class_numbers
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.protocol import Predictor
from surrogate_nas.search.samplers.scan import ScanSampler, plan
from surrogate_nas.search.settings import SearchSettings
from surrogate_nas.space.space import Space
from surrogate_nas.testing.spaces import live_operations


def planned(evaluator: Evaluator, **settings: object) -> Rows:
    whole = evaluator.whole_space()
    return plan(whole, class_numbers(evaluator.space, whole.codes), SearchSettings.model_validate(settings))


def test_the_first_proposal_is_the_constrained_optimum(space: Space, predictor: Predictor, costs: CostModel) -> None:
    for limit in (1.5, 3.0, 5.0):
        evaluator = Evaluator(space, predictor, costs, [Budget("latency_ms", limit)])
        whole = evaluator.whole_space()
        first = planned(evaluator, trials=1)
        assert len(first) == 1
        assert whole.mean[first[0]] == whole.mean[whole.feasible].max()


def test_raw_scores_are_searched_exactly_too(space: Space, raw_scorer: Predictor, costs: CostModel) -> None:
    evaluator = Evaluator(space, raw_scorer, costs, [Budget("latency_ms", 3.0)])
    whole = evaluator.whole_space()
    assert planned(evaluator, trials=10)[0] == np.argmax(np.where(whole.feasible, whole.mean, -np.inf))


def test_shares_and_distinct_classes(evaluator: Evaluator, space: Space) -> None:
    rows = planned(evaluator, trials=200, infeasible_share=0.1)
    whole = evaluator.whole_space()
    classes = class_numbers(space, whole.codes)[rows]
    assert len(rows) == len(set(classes.tolist())) == 200
    assert (~whole.feasible[rows]).sum() == 20
    # The best feasible classes come first, in order of the score.
    assert (np.diff(whole.mean[rows[:100]]) <= 0).all()


def test_the_front_comes_first_where_it_is_the_goal(space: Space, predictor: Predictor, costs: CostModel) -> None:
    evaluator = Evaluator(space, predictor, costs, [])
    whole = evaluator.whole_space()
    # Connected is what keeps an operation once dead ones are cut.
    connected = np.flatnonzero(live_operations(space, whole.codes) > 0)
    on_front = connected[pareto_mask(whole.mean[connected], whole.primary_cost[connected][:, None])]
    points = set(zip(whole.mean[on_front], whole.primary_cost[on_front], strict=True))
    rows = planned(evaluator, trials=100, goal="pareto")[: len(points)]
    assert set(zip(whole.mean[rows], whole.primary_cost[rows], strict=True)) == points


def test_a_front_longer_than_the_study_keeps_its_best(space: Space, predictor: Predictor, costs: CostModel) -> None:
    evaluator = Evaluator(space, predictor, costs, [])
    rows = planned(evaluator, trials=3, goal="pareto")
    whole = evaluator.whole_space()
    assert len(rows) == 3
    assert whole.mean[rows[0]] == whole.mean[live_operations(space, whole.codes) > 0].max()


def test_where_nothing_is_feasible_the_nearest_misses_are_shown(
    space: Space, predictor: Predictor, costs: CostModel
) -> None:
    evaluator = Evaluator(space, predictor, costs, [Budget("latency_ms", 0.01)])
    whole = evaluator.whole_space()
    rows = planned(evaluator, trials=20)
    assert len(rows) == 20
    live = live_operations(space, whole.codes)
    assert whole.primary_cost[rows[0]] == whole.primary_cost[live > 0].min()
    assert (live[rows] > 0).all()


def test_a_study_larger_than_the_space_shows_every_connected_class_once(evaluator: Evaluator, space: Space) -> None:
    rows = planned(evaluator, trials=20_000)
    codes = space.all_codes()
    connected = codes[live_operations(space, codes) > 0]
    assert len(rows) == len(np.unique(space.index(space.canonical(connected))))
    assert (live_operations(space, codes[rows]) > 0).all()


def test_what_is_not_connected_takes_no_share_of_the_excluded(
    space: Space, predictor: Predictor, costs: CostModel
) -> None:
    evaluator = Evaluator(space, predictor, costs, [Budget("latency_ms", 4.0)])
    whole = evaluator.whole_space()
    live = live_operations(space, whole.codes)
    whole.mean[live == 0] = whole.mean.max() + 1  # among what is excluded, the best scores come first
    rows = planned(evaluator, trials=100, infeasible_share=0.3)
    assert (live[rows] > 0).all()
    assert (whole.primary_cost[rows] > 4.0).sum() == 30


def test_a_space_too_large_to_list_is_refused_with_the_alternatives(
    evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(evaluator.space), "listable", False)
    with pytest.raises(SettingsError, match="choose the sampler climb, evolution, reinforce, nsga2, tpe or random"):
        ScanSampler(evaluator, SearchSettings())


@pytest.mark.parametrize("share", [0.5, 0.9, 1.0])
def test_a_larger_share_of_the_front_shows_more_of_it(
    space: Space, predictor: Predictor, costs: CostModel, share: float
) -> None:
    evaluator = Evaluator(space, predictor, costs, [Budget("latency_ms", 1e6)])
    shown = [set(planned(evaluator, trials=12, front_share=one).tolist()) for one in (0.0, share)]
    whole = evaluator.whole_space()
    front = set(np.flatnonzero(pareto_mask(whole.mean, whole.costs["latency_ms"][:, None])).tolist())
    cheapest = [min(whole.costs["latency_ms"][sorted(rows)]) for rows in shown]
    assert cheapest[1] < cheapest[0]
    assert len(shown[1] & front) >= len(shown[0] & front)

"""The best of a space too large to enumerate join the pool; ``test_large.py`` has a whole study on one."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.costs.budget import Budget
from surrogate_nas.costs.protocol import CostModel
from surrogate_nas.predictor.protocol import Prediction
from surrogate_nas.space.pool import Pool
from surrogate_nas.space.space import Codes
from surrogate_nas.study.findings import SpaceScores
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run
from surrogate_nas.study.stages.widen_pool import list_the_best
from tests.fixtures.tiny_study import Stopwatch, with_known_latencies


def test_a_listed_space_needs_nothing(problem: Problem, run_of: Callable[..., Run], tmp_path: Path) -> None:
    scores = SpaceScores(problem.pool, np.zeros(len(problem.pool)), np.ones(len(problem.pool)))
    same, kept = list_the_best(problem, scores, run_of(tmp_path))
    assert same is problem
    assert kept is scores


class Slow:
    """A predictor to which slower architectures are better."""

    def __init__(self, problem: Problem) -> None:
        self._costs = problem.table

    def predict(self, codes: Codes) -> Prediction:
        latency = self._costs.evaluate(codes)["latency_ms"]
        return Prediction(latency, np.ones(len(latency)))


def some_of(problem: Problem, *, measured: bool) -> tuple[Problem, SpaceScores]:
    """Returns a problem of a few draws, with a latency budget that half of all architectures are predicted to keep."""
    whole = with_known_latencies(problem)
    limit = float(np.quantile(whole.costs["latency_ms"], 0.5))
    few = np.random.default_rng(0).choice(np.flatnonzero(whole.connected), 60, replace=False)
    pool = Pool(whole.space, whole.codes[few], complete=False, uniform=60)
    settings = whole.settings
    some = replace(
        whole,
        pool=pool,
        table=whole.table.over(pool, whole.table),
        budgets=(Budget("latency_ms", limit),),
        cost_model=Stopwatch(whole, lambda _: 1.0),  # type: ignore[arg-type]
        settings=settings.model_copy(
            update={"search": settings.search.model_copy(update={"measured": 8 if measured else 0})}
        ),
    )
    return some, SpaceScores.of(pool, Slow(whole))


@pytest.mark.parametrize("measured", [True, False])
def test_the_best_between_prediction_and_bound_join_the_pool_where_they_are_measured(
    problem: Problem, run_of: Callable[..., Run], tmp_path: Path, measured: bool
) -> None:
    some, scores = some_of(problem, measured=measured)
    listed, known = list_the_best(some, scores, run_of(tmp_path))
    assert len(known.mean) == len(listed.pool)
    limit, whole = some.budgets[0].limit, with_known_latencies(problem)
    predicted, bounds = (costs["latency_ms"][whole.connected] for costs in (whole.costs, whole.bounds))
    own, own_bounds = (costs["latency_ms"][listed.connected] for costs in (listed.costs, listed.bounds))
    # The slowest that surely keeps the budget is there in any case.
    assert own_bounds[own_bounds <= limit].max() == pytest.approx(bounds[bounds <= limit].max())
    # So is the slowest that may keep it, where a measurement can decide.
    if measured:
        assert own[own <= limit].max() == pytest.approx(predicted[predicted <= limit].max())


@pytest.mark.parametrize("measured", [True, False])
def test_predictions_are_searched_only_where_measurements_decide(
    problem: Problem, run_of: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, measured: bool
) -> None:
    some, scores = some_of(problem, measured=measured)
    asked: dict[str, list[Sequence[Budget]]] = {}

    def explored(
        pool: Pool, _: object, costs: CostModel, bounds: list[Sequence[Budget]], *__: object, **___: object
    ) -> Codes:
        latency = costs.evaluate(pool.codes)["latency_ms"]
        predicted = some.table.evaluate(pool.codes)["latency_ms"]
        asked["predictions" if np.array_equal(latency, predicted) else "bounds"] = bounds
        return pool.codes[:0]

    monkeypatch.setattr("surrogate_nas.study.stages.widen_pool.explore", explored)
    list_the_best(some, scores, run_of(tmp_path))
    halfway, own = asked["predictions"] or [(), ()]
    assert own == (some.budgets if measured else ())
    if measured:
        # Bounds are a tenth above the predictions, and half as far is next.
        assert [one.limit for one in halfway] == pytest.approx([one.limit / 1.1**0.5 for one in some.budgets])
    assert asked["bounds"][-1] == some.budgets


def test_architectures_with_a_name_join_the_pool(
    problem: Problem, run_of: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    some, scores = some_of(problem, measured=False)
    code = some.space.effective(some.space.parse("123412")[None])
    monkeypatch.setattr(some.space, "known", {"mine": code[0]})
    assert some.pool.find(code)[0] < 0
    listed, _ = list_the_best(some, scores, run_of(tmp_path))
    assert listed.pool.find(code)[0] >= 0

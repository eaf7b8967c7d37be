"""Finalists against made-up stopwatches."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from surrogate_nas.costs.budget import Budget
from surrogate_nas.errors import Interrupted, SettingsError
from surrogate_nas.search.result import SearchResult
from surrogate_nas.space.space import Codes
from surrogate_nas.study.findings import FinalistChoice, SpaceScores
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run
from surrogate_nas.study.stages.finalists import choose_finalist
from tests.fixtures.tiny_study import with_known_latencies

Measuring = Callable[[Callable[[int], float]], tuple[Problem, Any]]
Chosen = Callable[..., FinalistChoice]


@pytest.fixture
def problem(problem: Problem) -> Problem:
    """Returns the tiny study with known latencies: budgets are held against a tenth more than the prediction."""
    return with_known_latencies(problem)


@pytest.fixture
def scores(problem: Problem) -> SpaceScores:
    """Returns scores by which slower is better, so that the budget decides."""
    mean = problem.costs["latency_ms"] * 100
    return SpaceScores(problem.pool, mean, np.zeros_like(mean))


def result_of(finalists: Codes, trials: Codes) -> SearchResult:
    """Returns the result of a search with these finalists and trials, which all meet the budget."""
    scored = np.zeros(len(trials))
    return SearchResult(
        codes=trials,
        mean=scored,
        std=scored,
        costs={},
        violation=np.full((len(trials), 1), -1.0),
        feasible=np.ones(len(trials), bool),
        best=0,
        finalists=finalists,
        pareto=finalists,
        nearest=trials[:0],
        primary_cost="latency_ms",
        smallest_costs={},
        exact=True,
        opened="created",
        notes=(),
    )


@pytest.fixture
def chosen(run_of: Callable[..., Run], tmp_path: Path) -> Chosen:
    """Chooses among the two best predicted within a bound on latency."""

    def choose(problem: Problem, scores: SpaceScores, limit_ms: float | None, stop: bool = False) -> FinalistChoice:
        budgets = (Budget("latency_ms", limit_ms),) if limit_ms else (Budget("flops", 1e12),)
        bound = replace(problem, budgets=budgets)
        rows = np.flatnonzero(bound.feasible)
        best = rows[np.argsort(-scores.mean[rows], kind="stable")]
        _, first = np.unique(bound.space.canonical_keys(bound.codes[best]), return_index=True)
        finalists = bound.codes[best[np.sort(first)[:2]]]
        return choose_finalist(bound, scores, result_of(finalists, finalists), run_of(tmp_path, stop=stop))

    return choose


@pytest.fixture
def limit_ms(problem: Problem) -> float:
    return float(np.median(problem.costs["latency_ms"]))


def test_the_best_predicted_wins_where_it_keeps_the_budget(
    measuring: Measuring, chosen: Chosen, scores: SpaceScores, limit_ms: float
) -> None:
    problem, stopwatch = measuring(lambda _: 0.9)
    choice = chosen(problem, scores, limit_ms)
    assert (choice.outcome, choice.chosen, stopwatch.calls) == ("met", 0, [2])
    assert len(choice.measured) == len(choice.codes) == 2


def test_without_a_latency_budget_any_measurement_will_do(
    measuring: Measuring, chosen: Chosen, scores: SpaceScores
) -> None:
    problem, stopwatch = measuring(lambda _: 1e6)
    choice = chosen(problem, scores, None)
    assert (choice.outcome, choice.chosen, stopwatch.calls) == ("met", 0, [2])


def test_slower_than_predicted_is_sought_under_a_tighter_bound(
    measuring: Measuring, chosen: Chosen, scores: SpaceScores, problem: Problem, capsys: pytest.CaptureFixture[str]
) -> None:
    caution = float((problem.bounds["latency_ms"] / problem.costs["latency_ms"])[0])
    limit_ms = caution * float(np.median(problem.costs["latency_ms"]))
    # A quarter above what the prediction was to keep.
    problem, stopwatch = measuring(lambda _: 1.25 * caution)
    choice = chosen(problem, scores, limit_ms)
    assert (choice.outcome, choice.chosen, stopwatch.calls) == ("met", 2, [2, 2])
    assert choice.measured[2].median_ms <= limit_ms
    bounds = problem.bounds["latency_ms"][problem.space.index(choice.codes)]
    assert bounds[2] <= limit_ms / 1.25 * 0.98 < bounds[0]
    keys = problem.space.canonical_keys(choice.codes)
    assert len(set(keys.tolist())) == 4
    assert "every finalist measured over the latency budget; now trying predictions under" in capsys.readouterr().err


def test_rounds_end_with_the_fastest_measured(
    measuring: Measuring, chosen: Chosen, scores: SpaceScores, limit_ms: float, capsys: pytest.CaptureFixture[str]
) -> None:
    problem, stopwatch = measuring(lambda call: 2.0 * call)
    choice = chosen(problem, scores, limit_ms)
    assert choice.outcome == "predicted to meet, measured over"
    medians = [one.median_ms for one in choice.measured]
    assert medians[choice.chosen] == min(medians) > limit_ms
    assert len(stopwatch.calls) <= 4
    # What is not looked for any more is not announced.
    assert capsys.readouterr().err.count("now trying") == len(stopwatch.calls) - 1


def test_a_few_slow_finalists_do_not_speak_for_all(measuring: Measuring, chosen: Chosen, scores: SpaceScores) -> None:
    # Only what was measured first takes three times as long; no prediction is under a third of the budget.
    problem, stopwatch = measuring(lambda call: 3.0 if call < 2 else 1.0)
    bounds = problem.bounds["latency_ms"][problem.connected]
    limit_ms = float(np.quantile(bounds, 0.5))
    assert bounds.min() > limit_ms / 3
    choice = chosen(problem, scores, limit_ms)
    assert (choice.outcome, choice.chosen, stopwatch.calls) == ("met", 2, [2, 2])
    # Halfway, not the smallest: larger ones are better here.
    assert problem.bounds["latency_ms"][problem.space.index(choice.code)][0] > bounds.min()


def test_costs_from_a_table_are_not_measured(
    measuring: Measuring, chosen: Chosen, scores: SpaceScores, limit_ms: float
) -> None:
    problem, stopwatch = measuring(lambda _: 1.0)
    stopwatch.can_measure = False
    choice = chosen(problem, scores, limit_ms)
    assert (choice.outcome, choice.chosen, choice.measured, stopwatch.calls) == ("met", 0, (), [])


def test_a_sampler_that_found_nothing_is_an_error_with_the_remedy(
    problem: Problem, scores: SpaceScores, run_of: Callable[..., Run], tmp_path: Path
) -> None:
    result = result_of(problem.codes[:0], problem.codes[:7])
    with pytest.raises(SettingsError, match=r"none of 7 trials meets the budget, though .* more search\.trials"):
        choose_finalist(problem, scores, result, run_of(tmp_path))


def test_measuring_stops_when_asked(measuring: Measuring, chosen: Chosen, scores: SpaceScores, limit_ms: float) -> None:
    problem, _ = measuring(lambda _: 1.0)
    with pytest.raises(Interrupted, match="stopped while measuring finalists"):
        chosen(problem, scores, limit_ms, stop=True)


def planned_choice(problem: Problem, share: float, run: Run) -> tuple[Problem, FinalistChoice]:
    """Returns the choice among the two largest networks predicted within a share of RAM; larger is better."""
    ram = problem.costs["ram_bytes"]
    limit = float(np.quantile(ram, share))
    bound = replace(problem, budgets=(Budget("ram_bytes", limit),))
    scores = SpaceScores(problem.pool, ram / ram.max() * 100, np.zeros_like(ram))
    rows = np.flatnonzero(bound.feasible)
    best = rows[np.argsort(-scores.mean[rows], kind="stable")]
    _, first = np.unique(bound.space.canonical_keys(bound.codes[best]), return_index=True)
    finalists = bound.codes[best[np.sort(first)[:2]]]
    return bound, choose_finalist(bound, scores, result_of(finalists, finalists), run)


def test_finalists_are_planned_and_the_best_that_fits_wins(
    planning: Measuring, run_of: Callable[..., Run], tmp_path: Path
) -> None:
    problem, tool = planning(lambda _: 1.05)
    bound, choice = planned_choice(problem, 0.7, run_of(tmp_path))
    assert (choice.outcome, choice.chosen, choice.measured, tool.calls) == ("met", 0, (), [2])
    assert choice.planned["ram_bytes"][0] == 1.05 * bound.costs["ram_bytes"][bound.pool.rows(choice.code)[0]]


def test_more_ram_than_predicted_is_sought_under_a_tighter_bound(
    planning: Measuring, run_of: Callable[..., Run], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    problem, tool = planning(lambda _: 1.2)
    bound, choice = planned_choice(problem, 0.7, run_of(tmp_path))
    assert choice.outcome == "met"
    assert len(tool.calls) == 2
    assert choice.planned["ram_bytes"][choice.chosen] <= bound.budgets[0].limit
    assert choice.planned["ram_bytes"][0] > bound.budgets[0].limit
    assert "every finalist planned over the ram budget; now trying predictions under" in capsys.readouterr().err


def test_the_smallest_are_planned_before_an_answer_is_over_the_budget(
    planning: Measuring, run_of: Callable[..., Run], tmp_path: Path
) -> None:
    # No network is predicted under a bound that is so much tighter, and the smallest ones fit.
    problem, tool = planning(lambda call: 2.0 if call < 2 else 1.0)
    bound, choice = planned_choice(problem, 0.7, run_of(tmp_path))
    assert choice.outcome == "met"
    assert choice.planned["ram_bytes"][choice.chosen] <= bound.budgets[0].limit
    problem, tool = planning(lambda _: 5.0)
    bound, choice = planned_choice(problem, 0.7, run_of(tmp_path))
    assert choice.outcome == "predicted to meet, measured over"
    planned = choice.planned["ram_bytes"]
    assert planned[choice.chosen] == planned.min() > bound.budgets[0].limit
    smallest = bound.costs["ram_bytes"][bound.connected].min()
    assert planned.min() == pytest.approx(5 * smallest)
    assert len(tool.calls) <= 5


def test_the_larger_of_all_measurements_of_a_finalist_counts(
    measuring: Measuring, chosen: Chosen, scores: SpaceScores, limit_ms: float
) -> None:
    # Now they are measured well within the budget. One of them was measured before, at its edge.
    problem, _ = measuring(lambda _: 0.5)
    first = chosen(problem, scores, limit_ms)
    code, edge = problem.space.effective(first.code), 0.99 * limit_ms
    known = replace(problem, table=problem.table.with_measured(code, [edge]))
    choice = chosen(known, scores, limit_ms)
    (row,) = np.flatnonzero((problem.space.effective(choice.codes) == code).all(axis=1))
    assert choice.measured[row].median_ms == pytest.approx(edge)
    assert choice.measured[1 - row].median_ms < 0.6 * limit_ms

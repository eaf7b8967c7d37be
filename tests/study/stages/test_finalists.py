"""Finalists against made-up stopwatches."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from surrogate_nas.costs.budget import Budget
from surrogate_nas.errors import Interrupted, SettingsError
from surrogate_nas.hardware.tables.stored import StoredCosts
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.search.result import SearchResult
from surrogate_nas.study.stages.finalists import Winners, choose_winner
from surrogate_nas.study.stages.prepare import Prepared
from surrogate_nas.study.stages.search import SpaceScores

Measuring = Callable[[Callable[[int], float]], tuple[Prepared, Any]]


@pytest.fixture
def prepared(prepared: Prepared) -> Prepared:
    """The tiny study with errors that are known: budgets are held against a tenth more than what is predicted."""
    values, described = prepared.table.evaluate(prepared.codes), prepared.table.describe()
    table = StoredCosts(prepared.pool, values, {}, described, {"latency_ms": np.full(100, 0.1)})
    return replace(prepared, table=table)


@pytest.fixture
def scores(prepared: Prepared) -> SpaceScores:
    """Slower is better, so that the budget decides."""
    mean = prepared.costs["latency_ms"] * 100
    return SpaceScores(prepared.pool, mean, np.zeros_like(mean))


def chosen(prepared: Prepared, scores: SpaceScores, limit_ms: float | None, stop: bool = False) -> Winners:
    budgets = (Budget("latency_ms", limit_ms),) if limit_ms else (Budget("flops", 1e12),)
    bound = replace(prepared, budgets=budgets)
    rows = np.flatnonzero(bound.feasible)
    best = rows[np.argsort(-scores.mean[rows], kind="stable")]
    _, first = np.unique(bound.space.canonical_keys(bound.codes[best]), return_index=True)
    finalists = bound.codes[best[np.sort(first)[:2]]]
    result = object.__new__(SearchResult)
    object.__setattr__(result, "finalists", finalists)
    object.__setattr__(result, "codes", finalists)
    return choose_winner(bound, scores, result, StudyConsole(quiet=True), lambda: stop)


@pytest.fixture
def limit_ms(prepared: Prepared) -> float:
    return float(np.median(prepared.costs["latency_ms"]))


def test_the_best_predicted_wins_where_it_keeps_the_budget(
    measuring: Measuring, scores: SpaceScores, limit_ms: float
) -> None:
    prepared, stopwatch = measuring(lambda _: 0.9)
    winners = chosen(prepared, scores, limit_ms)
    assert (winners.outcome, winners.chosen, stopwatch.calls) == ("met", 0, [2])
    assert len(winners.measured) == len(winners.codes) == 2


def test_without_a_latency_budget_any_measurement_will_do(measuring: Measuring, scores: SpaceScores) -> None:
    prepared, stopwatch = measuring(lambda _: 1e6)
    winners = chosen(prepared, scores, None)
    assert (winners.outcome, winners.chosen, stopwatch.calls) == ("met", 0, [2])


def test_slower_than_predicted_is_sought_under_a_tighter_bound(
    measuring: Measuring, scores: SpaceScores, prepared: Prepared, capsys: pytest.CaptureFixture[str]
) -> None:
    caution = float((prepared.bounds["latency_ms"] / prepared.costs["latency_ms"])[0])
    limit_ms = caution * float(np.median(prepared.costs["latency_ms"]))
    # A quarter above what the prediction was to keep.
    prepared, stopwatch = measuring(lambda _: 1.25 * caution)
    winners = chosen(prepared, scores, limit_ms)
    assert (winners.outcome, winners.chosen, stopwatch.calls) == ("met", 2, [2, 2])
    assert winners.measured[2].median_ms <= limit_ms
    bounds = prepared.bounds["latency_ms"][prepared.space.index(winners.codes)]
    assert bounds[2] <= limit_ms / 1.25 * 0.98 < bounds[0]
    keys = prepared.space.canonical_keys(winners.codes)
    assert len(set(keys.tolist())) == 4
    assert "every finalist measured over the latency budget; looking under" in capsys.readouterr().err


def test_rounds_end_with_the_fastest_measured(
    measuring: Measuring, scores: SpaceScores, limit_ms: float, capsys: pytest.CaptureFixture[str]
) -> None:
    prepared, stopwatch = measuring(lambda call: 2.0 * call)
    winners = chosen(prepared, scores, limit_ms)
    assert winners.outcome == "predicted to meet, measured over"
    medians = [one.median_ms for one in winners.measured]
    assert medians[winners.chosen] == min(medians) > limit_ms
    assert len(stopwatch.calls) <= 3
    # What is not looked for any more is not announced.
    assert capsys.readouterr().err.count("looking under") == len(stopwatch.calls) - 1


def test_costs_from_a_table_are_not_measured(measuring: Measuring, scores: SpaceScores, limit_ms: float) -> None:
    prepared, stopwatch = measuring(lambda _: 1.0)
    stopwatch.can_measure = False
    winners = chosen(prepared, scores, limit_ms)
    assert (winners.outcome, winners.chosen, winners.measured, stopwatch.calls) == ("met", 0, (), [])


def test_a_sampler_that_found_nothing_is_an_error_with_the_remedy(prepared: Prepared, scores: SpaceScores) -> None:
    result = object.__new__(SearchResult)
    object.__setattr__(result, "finalists", prepared.codes[:0])
    object.__setattr__(result, "codes", prepared.codes[:7])
    with pytest.raises(SettingsError, match=r"none of 7 trials meets the budget, though .* more search\.trials"):
        choose_winner(prepared, scores, result, StudyConsole(quiet=True), lambda: False)


def test_measuring_stops_when_asked(measuring: Measuring, scores: SpaceScores, limit_ms: float) -> None:
    prepared, _ = measuring(lambda _: 1.0)
    with pytest.raises(Interrupted, match="stopped while measuring finalists"):
        chosen(prepared, scores, limit_ms, stop=True)

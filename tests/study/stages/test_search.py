"""The search over scores that are known."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.costs.budget import Budget
from surrogate_nas.errors import Interrupted, SettingsError
from surrogate_nas.search.result import SearchResult
from surrogate_nas.study.findings import Findings, LearnedOrder, SpaceScores, StudyLabels
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run
from surrogate_nas.study.stages.search import SearchSpace, search, with_cheapest_measured, with_measured
from tests.fixtures.tiny_study import Stopwatch, with_known_latencies

RunOf = Callable[..., Run]


@pytest.fixture
def scores(problem: Problem) -> SpaceScores:
    """Returns the number of parameters as an accuracy."""
    mean = problem.costs["params"] / 1e3
    return SpaceScores(problem.pool, mean, np.ones_like(mean))


@pytest.fixture
def labels(problem: Problem) -> StudyLabels:
    some = np.linspace(10, 90, len(problem.drawn))
    return StudyLabels(problem.drawn, some, 1 / some, len(some))


def known(*found: object) -> Findings:
    return Findings(LearnedOrder(), *found)


def test_the_search_finds_the_best_within_the_budgets(
    problem: Problem, labels: StudyLabels, scores: SpaceScores, run_of: RunOf, tmp_path: Path
) -> None:
    result = search(known(problem, labels, scores), run_of(tmp_path))
    best = problem.space.index(result.finalists[:1])[0]
    assert problem.feasible[best]
    assert scores.mean[best] == scores.mean[problem.feasible].max()
    assert len(result.codes) == problem.settings.search.trials


def test_other_labels_or_costs_are_another_search(
    problem: Problem, labels: StudyLabels, scores: SpaceScores, run_of: RunOf, tmp_path: Path
) -> None:
    run = run_of(tmp_path)
    assert search(known(problem, labels, scores), run).opened == "created"
    assert search(known(problem, labels, scores), run).opened == "resumed"
    other = replace(labels, loss=labels.loss + 1)
    assert search(known(problem, other, scores), run).opened == "replaced"


def test_a_search_stops_when_asked_and_goes_on(
    problem: Problem, labels: StudyLabels, scores: SpaceScores, run_of: RunOf, tmp_path: Path
) -> None:
    run = run_of(tmp_path)
    with pytest.raises(Interrupted, match="stopped while searching"):
        search(known(problem, labels, scores), run_of(tmp_path, stop=True))
    part = run.folder.journal.read_text(encoding="utf-8")
    result = search(known(problem, labels, scores), run)
    assert result.opened == "resumed"
    whole = run.folder.journal.read_text(encoding="utf-8")
    assert whole.startswith(part)
    assert len(whole) > len(part)
    assert all(json.loads(line) for line in whole.splitlines())


def between(problem: Problem) -> Problem:
    """Returns the problem with a latency budget that half of the architectures are predicted to keep."""
    limit = float(np.quantile(problem.costs["latency_ms"], 0.5))
    return replace(problem, budgets=(Budget("latency_ms", limit),), also=())


@pytest.mark.parametrize("factor", [0.95, 1.5])
def test_a_measurement_decides_about_the_best_between_prediction_and_bound(
    problem: Problem, labels: StudyLabels, run_of: RunOf, tmp_path: Path, factor: float
) -> None:
    known_problem = between(with_known_latencies(problem))
    stopwatch = Stopwatch(known_problem, lambda _: factor)
    asked = replace(known_problem, cost_model=stopwatch)  # type: ignore[arg-type]
    latency = asked.costs["latency_ms"]
    scores = SpaceScores(asked.pool, latency, np.ones_like(latency))  # the slower, the better
    found = SearchSpace().run(known(asked, labels, scores), run_of(tmp_path))
    best = found[SearchResult].finalists[:1]
    row, limit = int(asked.pool.rows(best)[0]), asked.budgets[0].limit
    # Where measurements are half above the predictions, none of the others is worth a measurement.
    assert stopwatch.calls == [asked.settings.search.measured]
    assert found[Problem].costs["latency_ms"][row] <= limit
    # Where measurements are over the budget, the best is the one that the bound keeps.
    assert (asked.bounds["latency_ms"][row] > limit) == (factor < 1)
    # A second process measures nothing again.
    again = SearchSpace().run(known(asked, labels, scores), run_of(tmp_path))
    np.testing.assert_array_equal(again[SearchResult].finalists, found[SearchResult].finalists)
    assert len(stopwatch.calls) == 1


def test_the_next_to_be_measured_are_predicted_below_the_budget_by_what_measurements_exceeded(
    problem: Problem, run_of: RunOf, tmp_path: Path
) -> None:
    known_problem = between(with_known_latencies(problem))
    stopwatch = Stopwatch(known_problem, lambda _: 1.03)
    asked = replace(known_problem, cost_model=stopwatch)  # type: ignore[arg-type]
    latency, limit = asked.costs["latency_ms"], asked.budgets[0].limit
    found, _ = with_measured(asked, SpaceScores(asked.pool, latency, np.ones_like(latency)), run_of(tmp_path))
    measured = found.table.measured_ms(asked.space.effective(asked.codes))
    tried, kept = np.flatnonzero(~np.isnan(measured)), np.flatnonzero(measured <= limit)
    assert len(stopwatch.calls) > 1
    assert latency[kept].max() == latency[asked.connected & (1.03 * latency <= limit)].max()
    # Nothing is tried between what the first measurements show to be over and what they leave.
    assert not ((latency[tried] * 1.03 > limit) & (latency[tried] < np.sort(latency[tried])[-16])).any()


def test_nothing_is_measured_where_none_is_asked_for_or_networks_were_trained(
    problem: Problem, run_of: RunOf, tmp_path: Path
) -> None:
    known_problem = between(with_known_latencies(problem))
    stopwatch = Stopwatch(known_problem, lambda _: 1.0)
    scores = SpaceScores(known_problem.pool, known_problem.costs["latency_ms"], known_problem.costs["latency_ms"])
    for part, update in (("search", {"measured": 0}), ("loop", {"trainings": 2})):
        settings = known_problem.settings
        changed = getattr(settings, part).model_copy(update=update)
        asked = replace(
            known_problem,
            cost_model=stopwatch,  # type: ignore[arg-type]
            settings=settings.model_copy(update={part: changed}),
        )
        same, _ = with_measured(asked, scores, run_of(tmp_path / part))
        assert same is asked
    assert stopwatch.calls == []


def test_a_budget_below_all_bounds_is_not_given_up_before_the_cheapest_are_measured(
    problem: Problem, run_of: RunOf, tmp_path: Path
) -> None:
    known_problem = with_known_latencies(problem)
    smallest = float(known_problem.costs["latency_ms"][known_problem.connected].min())
    asked = replace(known_problem, budgets=(Budget("latency_ms", 1.05 * smallest),), also=())
    assert not asked.feasible.any()
    for factor, found in ((0.9, True), (1.2, False)):
        stopwatch = Stopwatch(asked, lambda _, factor=factor: factor)  # type: ignore[misc]
        tried = with_cheapest_measured(replace(asked, cost_model=stopwatch), run_of(tmp_path / str(found)))  # type: ignore[arg-type]
        assert stopwatch.calls
        assert tried.feasible.any() == found
    # The first few may be over the budget, and others keep it.
    few = asked.settings.model_copy(update={"search": asked.settings.search.model_copy(update={"measured": 2})})
    late = Stopwatch(asked, lambda _: 0.9 if len(late.calls) > 1 else 1.2)
    slow_first = replace(asked, settings=few, cost_model=late)  # type: ignore[arg-type]
    assert with_cheapest_measured(slow_first, run_of(tmp_path / "late")).feasible.any()
    assert len(late.calls) == 2
    # Far below everything, nothing is measured.
    hopeless = replace(asked, budgets=(Budget("latency_ms", smallest / 100),), cost_model=stopwatch)  # type: ignore[arg-type]
    stopwatch.calls.clear()
    assert with_cheapest_measured(hopeless, run_of(tmp_path)) is hopeless
    assert not stopwatch.calls


@pytest.mark.parametrize("traded", [("latency",), ("ram_bytes",), ("flops", "flops")])
def test_costs_that_cannot_be_traded_are_refused_before_anything_is_trained(
    problem: Problem, run_of: RunOf, tmp_path: Path, traded: tuple[str, ...]
) -> None:
    search = problem.settings.search.model_copy(update={"traded": traded})
    asked = replace(problem, settings=problem.settings.model_copy(update={"search": search}))
    with pytest.raises(SettingsError, match=rf"traded against one or two of the costs .* \(got {', '.join(traded)}\)"):
        SearchSpace().check(asked, run_of(tmp_path))

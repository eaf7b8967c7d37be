"""Contenders for trainings: which of them keep the budgets before and after they are measured."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from surrogate_nas.costs.budget import Budget
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.space.pool import varied as varied_draws
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.study.problem.contenders import Contenders
from surrogate_nas.study.problem.finalist_latencies import FinalistLatencies
from surrogate_nas.study.problem.problem import Problem
from tests.fixtures.tiny_study import with_known_latencies

Measuring = Callable[[Callable[[int], float]], tuple[Problem, Any]]


@pytest.fixture
def problem(problem: Problem) -> Problem:
    """Returns the tiny study with known latencies: bounds are a tenth above the predictions."""
    return with_known_latencies(problem)


def under(problem: Problem, share: float = 0.5, *more: Budget) -> Problem:
    """Returns the problem with a budget on latency that a share of the architectures is predicted to keep."""
    limit = float(np.quantile(problem.costs["latency_ms"], share))
    also = ((Budget("latency_ms", limit / 2),),)
    return replace(problem, budgets=(Budget("latency_ms", limit), *more), also=also)


def test_one_of_each_class_and_never_one_that_computes_nothing(problem: Problem) -> None:
    contenders = Contenders.of(under(problem))
    keys = problem.space.canonical_keys(contenders.codes)
    assert len(np.unique(keys)) == len(keys)
    assert set(keys.tolist()) == set(problem.space.canonical_keys(problem.codes[problem.connected]).tolist())


def test_predictions_decide_before_and_measurements_after(measuring: Measuring, tmp_path: Path) -> None:
    made, stopwatch = measuring(lambda _: 1.5)
    problem, folder = under(made), RunFolder(tmp_path)
    contenders = Contenders.of(problem)
    limit, predicted = problem.budgets[0].limit, problem.costs["latency_ms"][contenders.rows]
    assert contenders.measures
    assert contenders.answers.shape == (2, len(contenders.rows))
    np.testing.assert_array_equal(contenders.answers[0], predicted <= limit)
    over = int(np.argmax(np.where(predicted <= limit, predicted, 0)))
    fast = int(np.argmin(predicted))
    known = contenders.measured([over, fast], folder)
    assert np.flatnonzero((known.answers != contenders.answers).any(axis=0)).tolist() == [over]
    row = [contenders.rows[over]]
    assert known.problem.bounds["latency_ms"][row] == pytest.approx(1.5 * predicted[over])
    assert not known.problem.feasible[row]
    # Another process measures nothing again, and sees the same. The fast one keeps every budget anyway.
    again = contenders.measured([over, fast], folder)
    assert stopwatch.calls == [1]
    np.testing.assert_array_equal(again.answers, known.answers)


@pytest.mark.parametrize(("factor", "count"), [(1.06, 4), (0.9, 4), (1.06, 2)])
def test_measurements_near_a_budget_correct_the_predictions_of_the_next_ones(
    measuring: Measuring, tmp_path: Path, factor: float, count: int
) -> None:
    made, _ = measuring(lambda _: factor)
    problem = replace(under(made), also=())
    contenders, limit = Contenders.of(problem), problem.budgets[0].limit
    predicted = problem.costs["latency_ms"][contenders.rows]
    between = np.flatnonzero(contenders.answers[0] & (problem.bounds["latency_ms"][contenders.rows] > limit))
    tried = between[np.argsort(-predicted[between], kind="stable")][:count]
    known = contenders.measured(tried.tolist(), RunFolder(tmp_path))
    others = np.setdiff1d(np.arange(len(predicted)), tried)
    expected = 1.06 if (factor, count) == (1.06, 4) else 1.0
    np.testing.assert_array_equal(known.answers[0, others], predicted[others] * expected <= limit)
    np.testing.assert_array_equal(known.answers[0, tried], predicted[tried] * factor <= limit)


@pytest.mark.parametrize(("again", "keeps"), [(0.5, True), (1.0, True), (1.3, False)])
def test_the_larger_of_two_measurements_counts_for_what_keeps_a_budget(
    measuring: Measuring, tmp_path: Path, again: float, keeps: bool
) -> None:
    made, stopwatch = measuring(lambda _: 1.0)
    stopwatch.again = again
    problem = replace(under(made), also=())
    contenders = Contenders.of(problem)
    predicted, limit = problem.costs["latency_ms"][contenders.rows], problem.budgets[0].limit
    edge = int(np.argmax(np.where(predicted <= limit, predicted, 0)))
    known = contenders.measured([edge], RunFolder(tmp_path))
    assert known.answers[0, edge] == keeps
    assert known.problem.costs["latency_ms"][known.rows[edge]] == pytest.approx(max(1, again) * predicted[edge])
    # The file has what counts.
    assert Contenders.of(problem).measured([edge], RunFolder(tmp_path)).answers[0, edge] == keeps


def test_a_noisy_measurement_leaves_the_bound_of_the_prediction(
    measuring: Measuring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, stopwatch = measuring(lambda _: 0.1)
    problem = under(made)
    noisy = Measurement(1e-6, 1e-6, 9, 0, True, "2026-01-01T00:00:00+00:00")
    monkeypatch.setattr(stopwatch, "measure_architectures", lambda codes: [noisy] * len(codes))
    contenders = Contenders.of(problem)
    bounds, limit = problem.bounds["latency_ms"][contenders.rows], problem.budgets[0].limit
    between = np.flatnonzero(contenders.answers[0] & (bounds > limit))
    places = [int(np.argmin(bounds)), int(between[0])]
    known = contenders.measured(places, RunFolder(tmp_path))
    assert known.answers[0, places].tolist() == [True, False]
    np.testing.assert_array_equal(known.problem.bounds["latency_ms"], problem.bounds["latency_ms"])


def test_bounds_decide_where_nothing_is_measured(problem: Problem, measuring: Measuring) -> None:
    counted = replace(under(problem), budgets=(Budget("flops", float(np.median(problem.costs["flops"]))),), also=())
    made, _ = measuring(lambda _: 1.0)
    for one in (counted, replace(counted, cost_model=made.cost_model)):
        contenders = Contenders.of(one)
        assert not contenders.measures
        np.testing.assert_array_equal(contenders.answers[0], one.feasible[contenders.rows])


def test_the_promising_ones_are_better_than_all_that_surely_keep_the_budget(measuring: Measuring) -> None:
    made, _ = measuring(lambda _: 1.0)
    problem = replace(under(made), also=())
    contenders = Contenders.of(problem)
    predicted, bound = (costs["latency_ms"][contenders.rows] for costs in (problem.costs, problem.bounds))
    limit = problem.budgets[0].limit
    between = np.flatnonzero((predicted <= limit) & (bound > limit))
    assert len(between) > 3
    assert contenders.promising(predicted, 10_000) == sorted(between, key=lambda row: -predicted[row])
    assert contenders.promising(predicted, 3) == contenders.promising(predicted, 10_000)[:3]
    assert contenders.promising(-predicted, 10_000) == []  # a fast one is better, and surely keeps the budget
    # One that every bound excludes is promising as well, as nothing surely keeps this budget.
    tight = replace(problem, budgets=(Budget("latency_ms", float(predicted.min()) * 1.01),))
    assert len(Contenders.of(tight).promising(-predicted, 100)) >= 1


def test_each_set_of_budgets_has_its_promising_ones(measuring: Measuring) -> None:
    made, _ = measuring(lambda _: 1.0)
    contenders = Contenders.of(replace(under(made, 0.8), also=(under(made, 0.3).budgets,)))
    predicted = contenders.problem.costs["latency_ms"][contenders.rows]
    found = contenders.promising(predicted, 2)
    limits = [budgets[0].limit for budgets in (contenders.problem.budgets, *contenders.problem.also)]
    assert len(found) == 4
    assert [sum(predicted[row] <= limit for row in found) for limit in limits] == [4, 2]


def test_an_architecture_with_a_name_is_promising_only_as_predicted(
    measuring: Measuring, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = measuring(lambda _: 1.0)
    problem = replace(under(made), also=())
    limit, predicted = problem.budgets[0].limit, problem.costs["latency_ms"]
    near = int(np.argmin(np.where(predicted > 1.1 * limit, predicted, np.inf)))
    monkeypatch.setattr(problem.space, "known", {"near": problem.space.effective(problem.codes[[near]])[0]})
    contenders = Contenders.of(problem)
    assert contenders.answers[0, contenders.known].all()
    assert contenders.known[0] not in contenders.promising(predicted[contenders.rows], 1000)


def test_architectures_with_a_name_are_measured_though_they_are_predicted_over(
    measuring: Measuring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = measuring(lambda _: 0.8)
    problem = under(made)
    limit, predicted = problem.budgets[0].limit, problem.costs["latency_ms"]
    near = int(np.argmin(np.where(predicted > 1.1 * limit, predicted, np.inf)))
    assert predicted[near] < 1.2 * limit
    far = int(np.argmax(predicted))
    codes = problem.space.effective(problem.codes[[near, far]])
    monkeypatch.setattr(problem.space, "known", {"near": codes[0], "far": codes[1]})
    contenders = Contenders.of(problem)
    assert sorted(contenders.preferred()) == sorted(contenders.known.tolist())
    assert contenders.answers[0, contenders.known].tolist() == [True, False]
    measured = contenders.measured(contenders.preferred(), RunFolder(tmp_path))
    assert measured.answers[0, contenders.known[0]] == (0.8 * predicted[near] <= limit)


def test_draws_are_of_all_depths_just_below_the_budgets(measuring: Measuring) -> None:
    made, _ = measuring(lambda _: 1.0)
    problem = replace(under(made), also=())
    drawn = Contenders.of(problem, 20)
    rows = drawn.rows[drawn.drawn]
    assert len(np.unique(rows)) > 10
    limit = problem.budgets[0].limit
    costs = problem.table.evaluate(problem.space.canonical(problem.codes[rows]))["latency_ms"]
    assert (costs <= 1.05 * limit).all()
    assert (costs >= limit / 1.6).all()
    assert drawn.drawn.tolist() == Contenders.of(problem, 20).drawn.tolist()
    other = replace(problem, settings=problem.settings.model_copy(update={"seed": 9}))
    assert drawn.drawn.tolist() != Contenders.of(other, 20).drawn.tolist()


def known_as(problem: Problem, shares: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    """Names the architectures at some quantiles of the latency; returns their codes."""
    order = np.argsort(problem.costs["latency_ms"])
    order = order[problem.connected[order]]
    rows = {name: order[int(share * (len(order) - 1))] for name, share in shares.items()}
    known = {name: problem.space.effective(problem.codes[[row]])[0] for name, row in rows.items()}
    monkeypatch.setattr(problem.space, "known", known)
    return known


def test_varied_draws_are_close_to_the_largest_known_architectures_that_keep_the_budget(
    measuring: Measuring, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = measuring(lambda _: 1.0)
    problem = replace(under(made, 0.8), also=())
    known = known_as(problem, {"small": 0.1, "middle": 0.4, "large": 0.7, "huge": 1.0}, monkeypatch)
    varied = Contenders.of(problem, 12, "varied")
    codes = varied.codes[varied.drawn]
    limit = problem.budgets[0].limit
    costs = problem.table.evaluate(problem.space.canonical(codes))["latency_ms"]
    assert len(codes) > 6
    assert (costs <= 1.05 * limit).all()
    assert (costs >= limit / 1.6).all()
    seen = list[str]()

    def varied_from(space: Space, parents: Codes, count: int, rng: np.random.Generator) -> Codes:
        seen.extend(name for name, code in known.items() if (parents == code).all(axis=1).any())
        return varied_draws(space, parents, count, rng)

    monkeypatch.setattr("surrogate_nas.study.problem.budget_band.varied", varied_from)
    Contenders.of(problem, 12, "varied")
    flops = {name: float(problem.table.evaluate(code[None])["flops"][0]) for name, code in known.items()}
    latency = {name: float(problem.table.evaluate(code[None])["latency_ms"][0]) for name, code in known.items()}
    kept = sorted((name for name in known if latency[name] <= 1.25 * limit), key=lambda name: -flops[name])
    assert set(seen) == set(kept[:4])
    space = problem.space
    parents = space.canonical_keys(varied.codes[list(varied.variations)]).tolist()
    assert sorted(parents) == sorted(space.canonical_keys(np.stack([known[name] for name in kept])).tolist())
    assert sorted({row for rows in varied.variations.values() for row in rows}) == sorted(set(varied.drawn.tolist()))


def test_variations_take_turns_and_each_set_of_budgets_has_its_own(
    measuring: Measuring, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = measuring(lambda _: 1.0)
    problem = under(made, 0.8)
    known = known_as(problem, {"small": 0.2, "middle": 0.4, "large": 0.7}, monkeypatch)
    varied = Contenders.of(problem, 24, "varied")
    costs = problem.table.evaluate(problem.space.canonical(varied.codes[varied.drawn]))["latency_ms"]
    limits = [budgets[0].limit for budgets in (problem.budgets, *problem.also)]
    for limit in limits:
        assert ((costs <= 1.05 * limit) & (costs >= limit / 1.6)).sum() >= 6
    parents = set(problem.space.canonical_keys(varied.codes[list(varied.variations)]).tolist())
    assert parents == set(problem.space.canonical_keys(np.stack(list(known.values()))).tolist())
    begin = set(varied.drawn[: 2 * len(varied.variations)].tolist())
    assert all(begin.intersection(rows) for rows in varied.variations.values())


def test_variations_begin_with_the_cheapest_known_architecture_if_none_keeps_the_budget(
    measuring: Measuring, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = measuring(lambda _: 1.0)
    problem = replace(under(made, 0.05), also=())
    known = known_as(problem, {"large": 0.9, "larger": 1.0}, monkeypatch)
    parents = list[Codes]()

    def varied_from(space: Space, given: Codes, count: int, rng: np.random.Generator) -> Codes:
        parents.append(given)
        return varied_draws(space, given, count, rng)

    monkeypatch.setattr("surrogate_nas.study.problem.budget_band.varied", varied_from)
    Contenders.of(problem, 4, "varied")
    assert {one.tobytes() for one in parents} == {known["large"].tobytes()}


def test_contenders_are_planned_where_ram_has_a_budget(planning: Measuring, tmp_path: Path) -> None:
    made, tool = planning(lambda _: 1.2)
    limit = float(np.quantile(made.costs["ram_bytes"], 0.6))
    contenders = Contenders.of(replace(made, budgets=(Budget("ram_bytes", limit),)))
    predicted = made.costs["ram_bytes"][contenders.rows]
    assert contenders.measures
    np.testing.assert_array_equal(contenders.answers[0], predicted <= limit)
    over = int(np.argmax(np.where(predicted <= limit, predicted, 0)))
    small = int(np.argmin(predicted))
    known = contenders.measured([over, small], RunFolder(tmp_path))
    assert tool.calls == [1]
    assert np.flatnonzero((known.answers != contenders.answers).any(axis=0)).tolist() == [over]
    assert known.problem.bounds["ram_bytes"][contenders.rows[over]] == pytest.approx(1.2 * predicted[over])


def test_what_a_larger_budget_makes_possible_is_measured_twice_as_well(measuring: Measuring) -> None:
    made, stopwatch = measuring(lambda _: 1.0)
    stopwatch.again = 1.3
    small = replace(under(made), also=())
    contenders, limit = Contenders.of(small), small.budgets[0].limit
    predicted = small.costs["latency_ms"][contenders.rows]
    over = int(np.argmin(np.where(predicted > limit, predicted, np.inf)))
    codes = small.space.effective(contenders.codes[[over]])
    once = contenders._measured(codes, FinalistLatencies())
    assert once.twice == frozenset()
    larger = Contenders.of(replace(small, budgets=(Budget("latency_ms", 1.05 * predicted[over]),)))
    again = larger._measured(codes, once)
    (name,) = again.twice
    assert again.found[name].median_ms == pytest.approx(1.3 * predicted[over])
    calls = len(stopwatch.calls)
    assert larger._measured(codes, again) == again
    assert len(stopwatch.calls) == calls

"""The problem: what is feasible, what budgets are held against, and what stored results belong to."""

from dataclasses import replace

import numpy as np

from surrogate_nas.costs.budget import Budget
from surrogate_nas.study.problem.problem import CautiousCosts, Problem


def test_feasible_is_connected_and_within_every_budget(problem: Problem) -> None:
    budgets = (Budget("flops", 40e3), Budget("params", 6e3))
    bound = replace(problem, budgets=budgets)
    expected = [
        connected and flops <= 40e3 and params <= 6e3
        for connected, flops, params in zip(
            problem.connected, problem.costs["flops"], problem.costs["params"], strict=True
        )
    ]
    assert 0 < sum(expected) < problem.connected.sum()
    assert bound.feasible.tolist() == expected


def test_budgets_are_held_against_what_predictions_keep_with_confidence(problem: Problem) -> None:
    bold, cautious = (
        CautiousCosts(problem.table, confidence).evaluate(problem.codes)["latency_ms"] for confidence in (0.5, 0.95)
    )
    predicted = problem.costs["latency_ms"]
    assert (predicted <= bold).all()
    assert (bold <= cautious).all()
    assert (predicted < cautious).all()
    np.testing.assert_array_equal(problem.bounds["flops"], problem.costs["flops"])
    limit = float(np.median(problem.bounds["latency_ms"]))
    within = replace(problem, budgets=(Budget("latency_ms", limit),)).feasible
    assert (problem.bounds["latency_ms"][within] <= limit).all()


def test_a_checkpoint_belongs_to_all_that_its_weights_follow_from(problem: Problem) -> None:
    known = problem.member_identity(0)
    settings = problem.settings

    def changed(**sections: dict[str, object]) -> dict[str, str]:
        updates = {name: getattr(settings, name).model_copy(update=values) for name, values in sections.items()}
        return replace(problem, settings=settings.model_copy(update=updates)).member_identity(0)

    assert changed(supernet={"checkpoint_seconds": 9.0}) == known
    assert changed(predictor={"steps": 9}) == known
    assert changed(supernet={"steps": 9}) != known
    assert changed(compute={"processes": 9, "processes_per_supernet": 1}) == known
    assert changed(compute={"processes_per_supernet": 2})["processes"] == "2"
    assert changed(data={"shift": 3}) != known
    assert problem.member_identity(1) != known
    assert replace(problem, settings=settings.model_copy(update={"seed": 9})).member_identity(0) != known


def test_baselines_are_of_the_deployed_network(problem: Problem) -> None:
    counts = problem.counts(problem.codes)
    np.testing.assert_array_equal(counts["effective parameters"], problem.costs["params"])
    assert (counts["parameters"] >= counts["effective parameters"]).all()
    assert counts["nonlinear functions"].max() == 3

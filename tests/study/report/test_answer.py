"""Facts of the answer, against the arrays that they come from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.costs.budget import Budget
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.predictor.predictor import FittedPredictor, load_predictor
from surrogate_nas.study.report.answer import answer_facts, infeasible_facts, plot_points
from surrogate_nas.study.stages.finalists import Winners
from surrogate_nas.study.stages.learn import StudyLabels
from surrogate_nas.study.stages.prepare import Prepared
from surrogate_nas.study.stages.search import score_space


@pytest.fixture(scope="module")
def predictor(prepared: Prepared, finished: Path) -> FittedPredictor:
    return load_predictor(finished / "predictor", prepared.space)


def test_the_answer_is_the_chosen_finalist(prepared: Prepared, predictor: FittedPredictor) -> None:
    scores, codes = score_space(prepared, predictor), prepared.drawn[:2]
    measured = tuple(Measurement(value, 0.1, 9, 0, True, "2026-01-01T00:00:00+00:00") for value in (3.0, 2.0))
    facts = answer_facts(prepared, predictor, scores, Winners("met", 1, codes, measured))
    assert facts.chosen == facts.finalists[1]
    assert facts.chosen is not None
    assert facts.chosen.digits == prepared.space.digits(codes)[1]
    # Budgeted costs come first, and only latency is measured.
    assert [cost.cost for cost in facts.chosen.costs] == ["latency_ms", "flops", "params", "memory_bytes"]
    assert [cost.measured for cost in facts.chosen.costs] == [2.0, None, None, None]
    assert [cost.budget for cost in facts.chosen.costs] == [1000.0, prepared.budgets[1].limit, None, None]
    row = prepared.space.index(codes)[1]
    estimate = facts.chosen.accuracy_percent
    half = 1.96 * np.hypot(scores.std[row], predictor.calibration.residual_percent)
    assert estimate.value == pytest.approx(scores.mean[row])
    assert estimate.low == pytest.approx(max(0.0, scores.mean[row] - half))
    assert facts.cell is not None
    assert facts.cell.operations == tuple(
        prepared.space.decisions[edge].choices[choice] for edge, choice in enumerate(codes[1])
    )


def test_dead_edges_are_drawn_dead(prepared: Prepared, predictor: FittedPredictor) -> None:
    code = prepared.space.parse("303030")
    facts = answer_facts(prepared, predictor, score_space(prepared, predictor), Winners("met", 0, code[None], ()))
    assert facts.cell is not None
    effective = prepared.space.effective(code[None])[0]
    assert facts.cell.live == tuple(bool(choice) for choice in effective)


def test_what_comes_nearest_to_budgets_that_nothing_meets(prepared: Prepared) -> None:
    bound = replace(prepared, budgets=(Budget("params", 10.0), Budget("flops", 1e9)))
    facts = infeasible_facts(bound)
    connected = prepared.costs["params"][prepared.connected]
    assert (facts.outcome, facts.chosen) == ("infeasible", None)
    assert [(item.cost, item.budget) for item in facts.smallest] == [("params", 10.0), ("flops", 1e9)]
    assert facts.smallest[0].smallest == connected.min()
    assert len(facts.nearest_misses) == 5
    excess = [miss.costs[0].predicted for miss in facts.nearest_misses]
    assert excess == sorted(excess, key=float)  # type: ignore[arg-type]
    codes = np.array([prepared.space.parse(miss.digits) for miss in facts.nearest_misses])
    assert prepared.space.is_connected(codes).all()
    assert len(np.unique(prepared.space.canonical_keys(codes))) == 5


def test_the_plot_shows_every_connected_architecture_and_a_front_that_nothing_beats(
    prepared: Prepared, predictor: FittedPredictor
) -> None:
    accuracy = np.linspace(10, 90, len(prepared.drawn))
    labels = StudyLabels(prepared.drawn, accuracy, 1 / accuracy, len(accuracy))
    points = plot_points(prepared, predictor, score_space(prepared, predictor), labels)
    assert len(points.cost) == len(points.digits) == points.space_size == prepared.connected.sum()
    score = score_space(prepared, predictor).mean[prepared.connected]
    for row in np.flatnonzero(points.pareto):
        better = (score >= score[row]) & (points.cost <= points.cost[row])
        assert not (better & ((score > score[row]) | (points.cost < points.cost[row]))).any()
    assert len(points.out_of_fold_percent) == len(accuracy)

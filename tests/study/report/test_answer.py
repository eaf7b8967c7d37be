"""Facts of the answer, against the arrays that they come from."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from surrogate_nas.costs.budget import Budget
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.predictor.predictor import FittedPredictor, load_predictor
from surrogate_nas.space.load import load_space
from surrogate_nas.study.findings import FinalistChoice, SpaceScores
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.report.answer import _blocks, _cell, answer_facts, infeasible_facts


@pytest.fixture(scope="module")
def predictor(problem: Problem, finished: Path) -> FittedPredictor:
    return load_predictor(finished / "predictor", problem.space)


def test_the_answer_is_the_chosen_finalist(problem: Problem, predictor: FittedPredictor) -> None:
    scores, codes = SpaceScores.of(problem.pool, predictor), problem.drawn[:2]
    measured = tuple(Measurement(value, 0.1, 9, 0, True, "2026-01-01T00:00:00+00:00") for value in (3.0, 2.0))
    facts = answer_facts(problem, predictor, scores, FinalistChoice("met", 1, codes, measured))
    assert facts.chosen == facts.finalists[1]
    assert facts.chosen is not None
    assert facts.chosen.digits == problem.space.digits(codes)[1]
    # Budgeted costs come first, and only latency is measured.
    assert [cost.cost for cost in facts.chosen.costs] == ["latency_ms", "flops", "params", "memory_bytes"]
    assert [cost.measured for cost in facts.chosen.costs] == [2.0, None, None, None]
    assert [cost.budget for cost in facts.chosen.costs] == [1000.0, problem.budgets[1].limit, None, None]
    row = problem.space.index(codes)[1]
    estimate = facts.chosen.accuracy_percent
    half = 1.96 * np.hypot(scores.std[row], predictor.calibration.residual_percent)
    assert estimate.value == pytest.approx(scores.mean[row])
    assert estimate.low == pytest.approx(max(0.0, scores.mean[row] - half))
    assert facts.cell is not None
    assert facts.cell.operations == tuple(
        problem.space.decisions[edge].choices[choice] for edge, choice in enumerate(codes[1])
    )


def test_dead_edges_are_drawn_dead(problem: Problem, predictor: FittedPredictor) -> None:
    code = problem.space.parse("303030")
    facts = answer_facts(
        problem, predictor, SpaceScores.of(problem.pool, predictor), FinalistChoice("met", 0, code[None], ())
    )
    assert facts.cell is not None
    effective = problem.space.effective(code[None])[0]
    assert facts.cell.live == tuple(bool(choice) for choice in effective)


def test_what_comes_nearest_to_budgets_that_nothing_meets(problem: Problem) -> None:
    bound = replace(problem, budgets=(Budget("params", 10.0), Budget("flops", 1e9)))
    facts = infeasible_facts(bound)
    connected = problem.costs["params"][problem.connected]
    assert (facts.outcome, facts.chosen) == ("infeasible", None)
    assert [(item.cost, item.budget) for item in facts.smallest] == [("params", 10.0), ("flops", 1e9)]
    assert facts.smallest[0].smallest == connected.min()
    assert len(facts.nearest_misses) == 5
    excess = [miss.costs[0].predicted for miss in facts.nearest_misses]
    assert excess == sorted(excess, key=float)  # type: ignore[arg-type]
    codes = np.array([problem.space.parse(miss.digits) for miss in facts.nearest_misses])
    assert problem.space.is_connected(codes).all()
    assert len(np.unique(problem.space.canonical_keys(codes))) == 5


def test_budgets_that_only_different_architectures_are_predicted_to_meet_are_not_met(problem: Problem) -> None:
    latency, params = (problem.costs[cost][problem.connected] for cost in ("latency_ms", "params"))
    fastest, smallest = latency.min(), params.min()
    together = np.flatnonzero(params == smallest)
    for limit, expected in ((latency[together].min() * 1.001, True), (fastest * 1.001, fastest in latency[together])):
        bound = replace(problem, budgets=(Budget("latency_ms", float(limit)), Budget("params", float(smallest))))
        assert infeasible_facts(bound).predicted_to_meet == expected


def test_a_network_that_was_measured_before_has_its_prediction_beside_the_measurement(
    problem: Problem, predictor: FittedPredictor
) -> None:
    codes = problem.space.effective(problem.drawn[:1])
    before = float(problem.table.evaluate(codes)["latency_ms"][0])
    known = replace(problem, table=problem.table.with_measured(codes, [before / 2]))
    scores = SpaceScores.of(problem.pool, predictor)
    facts = answer_facts(known, predictor, scores, FinalistChoice("met", 0, codes, ()))
    assert facts.chosen is not None
    latency = facts.chosen.costs[0]
    assert (latency.predicted, latency.measured) == (before, before / 2)
    assert latency.upper is None or latency.upper >= before


def test_the_operation_that_cuts_an_edge_may_be_the_last_one(tmp_path: Path) -> None:
    path = tmp_path / "last.toml"
    path.write_text(
        'name = "last"\nkind = "cell"\noperations = ["skip_connect", "nor_conv_3x3", "none"]\n'
        '[cell]\nnodes = 3\nedges = ["1<-0", "2<-0", "2<-1"]\n'
        "[network]\nchannels = 4\ncells = 1\nimage_size = 8\nstages = 2\n"
    )
    space = load_space(str(path))
    cell = _cell(SimpleNamespace(space=space), space.parse("021"))  # type: ignore[arg-type]
    assert cell is not None
    assert cell.live == (True, False, True)
    dead = _cell(SimpleNamespace(space=space), space.parse("020"))  # type: ignore[arg-type]
    assert dead is not None
    assert dead.live == (True, False, True)


def test_a_skip_that_changes_the_shape_computes_something() -> None:
    space = load_space("nasbench_macro")
    blocks = _blocks(SimpleNamespace(space=space, deployed=space.network), space.parse("0" * 8))  # type: ignore[arg-type]
    assert {block.name: block.live for block in blocks} == {
        decision.name: decision.name.endswith(".1") for decision in space.decisions
    }

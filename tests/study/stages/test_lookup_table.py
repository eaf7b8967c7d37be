"""The written answer, from made-up scores."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from surrogate_nas.costs.budget import Budget
from surrogate_nas.errors import InfeasibleBudgetError
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.hardware.tables.stored import StoredCosts
from surrogate_nas.lookup.table import LookupTable
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.study.findings import FinalistChoice, SpaceScores, StudyLabels
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.stages.lookup_table import (
    lookup_table,
    remove_best,
    with_finalists,
    withdraw_answer,
    write_best,
)
from tests.fixtures.tiny_study import with_known_latencies


@pytest.fixture
def scores(problem: Problem) -> SpaceScores:
    """Returns accuracies beyond what is possible at both ends, as a line through labels may give them."""
    mean = np.linspace(-20, 120, problem.space.size)
    return SpaceScores(problem.pool, mean, np.full(len(mean), 0.5))


def test_the_table_holds_every_connected_architecture(problem: Problem, scores: SpaceScores, tmp_path: Path) -> None:
    accuracy = np.linspace(10, 90, len(problem.drawn))
    labels = StudyLabels(problem.drawn, accuracy, 1 / accuracy, len(accuracy))
    choice = FinalistChoice("met", 1, problem.codes[[-1, -2]], ())
    lookup_table(problem, labels, scores, choice, 3.5).write(tmp_path)
    table = LookupTable.load(tmp_path)
    assert len(table) == problem.connected.sum()
    assert table.metadata.label_error_percent == 3.5
    assert table.metadata.conditions == problem.latency_conditions
    assert table.metadata.answer == "444443"
    assert table.metadata.budgets == {budget.cost: budget.limit for budget in problem.budgets}
    top = table.top(1, [])[0]
    assert top.code == "444444"
    assert top.predicted_accuracy_percent == 100.0
    assert top.score > 100
    # Labelled architectures keep their label.
    code = problem.space.digits(problem.drawn[:1])[0]
    (row,) = [row for row in pq.read_table(tmp_path / "lookup.parquet").to_pylist() if row["code"] == code]
    assert row["label_accuracy_percent"] == pytest.approx(10.0)


def test_the_table_has_what_was_measured_of_the_finalists(problem: Problem) -> None:
    known = with_known_latencies(problem)
    codes = known.codes[[-1, -2]]
    before = known.table.evaluate(codes)["latency_ms"]
    measured = tuple(Measurement(9.0, 0.1, 9, 0, noisy, "2026-01-01T00:00:00+00:00") for noisy in (False, True))
    found = with_finalists(known, FinalistChoice("met", 0, codes, measured))
    # A noisy one says too little, so that the prediction stays.
    assert found.table.evaluate(codes)["latency_ms"].tolist() == [9.0, before[1]]
    assert found.cautious_costs.evaluate(codes)["latency_ms"].tolist() == [9.0, pytest.approx(1.1 * before[1])]
    accuracy = np.linspace(10, 90, len(problem.drawn))
    labels = StudyLabels(problem.drawn, accuracy, 1 / accuracy, len(accuracy))
    scores = SpaceScores(problem.pool, np.linspace(0, 90, problem.space.size), np.ones(problem.space.size))
    table = lookup_table(found, labels, scores, FinalistChoice("met", 1, codes, measured), 3.5)
    assert table.best(latency_ms=8.9).code != problem.space.digits(codes)[0]


def test_ram_is_held_to_its_upper_bound(planning: Callable[..., tuple[Problem, object]], tmp_path: Path) -> None:
    planned, _ = planning(lambda _: 1.0)
    accuracy = np.linspace(10, 90, len(planned.drawn))
    labels = StudyLabels(planned.drawn, accuracy, 1 / accuracy, len(accuracy))
    mean = np.linspace(0, 100, planned.space.size)
    scores, code = SpaceScores(planned.pool, mean, np.ones(len(mean))), planned.codes[[-1]]
    known = replace(planned, table=planned.table.with_known(code, {"ram_bytes": [5.0]}))
    table = lookup_table(known, labels, scores, FinalistChoice("met", 0, code, ()), 3.5)
    assert {"ram_bytes", "ram_upper_bytes", "flash_bytes", "flash_upper_bytes"} <= set(table.costs)
    assert table.binding("ram_bytes") == "ram_upper_bytes"
    first = table.find(planned.space.digits(planned.codes[planned.connected][:1])[0]).costs
    assert first["ram_upper_bytes"] == pytest.approx(1.1 * first["ram_bytes"])
    own = table.find(planned.space.digits(code)[0]).costs
    assert own["ram_upper_bytes"] == own["ram_bytes"] == 5.0


def test_latency_on_another_device_is_held_to_its_upper_bound(
    problem: Problem, scores: SpaceScores, tmp_path: Path
) -> None:
    values = problem.table.evaluate(problem.codes) | {"latency_ms[board]": np.full(len(problem.pool), 4.0)}
    errors = {"latency_ms[board]": np.full(100, 0.25)}
    both = StoredCosts(problem.pool, values, {}, problem.table.describe(), errors)
    accuracy = np.linspace(10, 90, len(problem.drawn))
    labels = StudyLabels(problem.drawn, accuracy, 1 / accuracy, len(accuracy))
    choice = FinalistChoice("met", 0, problem.codes[[-1]], ())
    lookup_table(replace(problem, table=both), labels, scores, choice, 3.5).write(tmp_path)
    table = LookupTable.load(tmp_path)
    assert table.binding("latency_ms[board]") == "latency_upper_ms[board]"
    assert table.find("444444").costs["latency_upper_ms[board]"] == pytest.approx(5)
    assert table.best(latency_ms="board=6ms")
    with pytest.raises(InfeasibleBudgetError):
        table.best(latency_ms="board=4.5ms")


def test_the_best_says_what_it_is_of(problem: Problem, scores: SpaceScores, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    code = problem.space.parse("000033")  # a cell whose first edges are dead
    (folder.best).mkdir(exist_ok=True)
    (folder.best / "model.onnx").write_bytes(b"trained, of another answer")
    write_best(problem, scores, FinalistChoice("met", 0, code[None], ()), folder)
    assert not (folder.best / "model.onnx").exists()
    (folder.best / "model.onnx").write_bytes(b"trained, of this answer")
    write_best(problem, scores, FinalistChoice("met", 0, code[None], ()), folder)
    assert (folder.best / "model.onnx").exists()
    content = json.loads((folder.best / "architecture.json").read_text(encoding="utf-8"))
    row = problem.space.index(code[None])[0]
    assert content["code"] == "000033"
    assert content["effective_code"] == problem.space.digits(problem.space.effective(code[None]))[0]
    assert content["network"] == {
        "channels": 4,
        "cells": 1,
        "stages": 3,
        "image_size": 8,
        "input_channels": 1,
        "classes": 10,
    }
    assert content["class_names"] == [str(digit) for digit in range(10)]
    assert content["predicted_accuracy_percent"] == round(float(np.clip(scores.mean[row], 0, 100)), 4)
    assert "label_error_percent" not in content  # the table has it
    assert content["measured_latency_ms"] is None
    assert content["costs"]["flops"] == problem.costs["flops"][row]
    remove_best(folder)
    assert not folder.best.exists()
    remove_best(folder)


def test_what_computes_the_same_as_a_finalist_over_the_budget_is_over_it_too(problem: Problem) -> None:
    known = replace(with_known_latencies(problem), budgets=(Budget("latency_ms", 8.0),))
    classes, codes = known.pool.representatives, known.space.effective(known.codes)
    rows = np.flatnonzero(known.connected)
    # A class with two effective codes: two networks that compute the same.
    row = next(one for one in rows if len(np.unique(codes[rows[classes[rows] == classes[one]]], axis=0)) > 1)
    twins = rows[classes[rows] == classes[row]]
    measured = (Measurement(9.0, 0.1, 9, 0, False, "2026-01-01T00:00:00+00:00"),)
    found = with_finalists(known, FinalistChoice("met", 0, known.codes[[row]], measured))
    assert (found.costs["latency_ms"][twins] >= 9.0).all()
    kept = (replace(measured[0], median_ms=1.0),)
    found = with_finalists(known, FinalistChoice("met", 0, known.codes[[row]], kept))
    others = twins[(codes[twins] != codes[row]).any(axis=1)]
    np.testing.assert_array_equal(found.costs["latency_ms"][others], known.costs["latency_ms"][others])


def test_a_withdrawn_answer_leaves_a_table_without_one(problem: Problem, scores: SpaceScores, tmp_path: Path) -> None:
    accuracy = np.linspace(10, 90, len(problem.drawn))
    labels = StudyLabels(problem.drawn, accuracy, 1 / accuracy, len(accuracy))
    folder = RunFolder(tmp_path)
    withdraw_answer(problem, folder)
    lookup_table(problem, labels, scores, FinalistChoice("met", 0, problem.codes[[-1]], ()), 3.5).write(tmp_path)
    folder.answers.write_text("{}")
    tighter = replace(problem, budgets=(Budget("flops", 1.0),))
    withdraw_answer(tighter, folder)
    metadata = LookupTable.load(tmp_path).metadata
    assert (metadata.answer, metadata.budgets) == (None, {"flops": 1.0})
    assert not folder.answers.exists()

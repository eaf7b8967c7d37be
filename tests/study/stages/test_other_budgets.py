"""Other budgets of a study are answered as the search would."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.costs.budget import Budget
from surrogate_nas.study.findings import SpaceScores
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run
from surrogate_nas.study.stages.other_budgets import answer_other_budgets


def test_answers_are_the_best_within_each_budget(
    problem: Problem, run_of: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = problem.space
    mean = np.random.default_rng(0).normal(50, 5, space.size)[space.index(space.canonical(problem.codes))]
    scores = SpaceScores(problem.pool, mean, np.ones(space.size))
    limit = float(np.median(problem.bounds["params"][problem.connected]))
    asked = replace(problem, also=((Budget("params", limit),), (Budget("params", 1.0),)))
    run = run_of(tmp_path)
    tables: list[list[list[str]]] = []
    monkeypatch.setattr(run.console, "table", lambda _title, _heads, rows: tables.append(rows))
    answer_other_budgets(asked, scores, run)
    own, best, none = json.loads(run.folder.answers.read_text())["answers"]
    within = problem.connected & (problem.bounds["params"] <= limit)
    assert best["predicted_accuracy_percent"] == mean[within].max()
    assert own["predicted_accuracy_percent"] == mean[problem.feasible].max()
    assert none["code"] is None
    nearest = none["nearest"][0]
    assert nearest["excess"] > 0
    ((_, shown, missed),) = tables
    assert shown[3].startswith("parameters ")
    assert missed[1] == f"none meets it; {nearest['code']} is {100 * nearest['excess']:.1f}% over"

"""Other budgets of a study are answered as the search would."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from surrogate_nas.costs.budget import Budget
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.study.stages.other_budgets import answer_also
from surrogate_nas.study.stages.prepare import Prepared
from surrogate_nas.study.stages.search import SpaceScores


def test_answers_are_the_best_within_each_budget(prepared: Prepared, tmp_path: Path) -> None:
    space = prepared.space
    mean = np.random.default_rng(0).normal(50, 5, space.size)[space.index(space.canonical(prepared.codes))]
    scores = SpaceScores(prepared.pool, mean, np.ones(space.size))
    limit = float(np.median(prepared.bounds["params"][prepared.connected]))
    asked = replace(prepared, also=((Budget("params", limit),), (Budget("params", 1.0),)))
    folder = RunFolder(tmp_path)
    answer_also(asked, scores, folder, StudyConsole(quiet=True))
    own, best, none = json.loads(folder.answers.read_text())["answers"]
    within = prepared.connected & (prepared.bounds["params"] <= limit)
    assert best["predicted_accuracy_percent"] == mean[within].max()
    assert own["predicted_accuracy_percent"] == mean[prepared.feasible].max()
    assert none["code"] is None
    assert none["nearest"][0]["excess"] > 0

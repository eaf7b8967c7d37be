"""The search over scores that are known."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.errors import Interrupted
from surrogate_nas.study.findings import Findings, LearnedOrder, SpaceScores, StudyLabels
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run
from surrogate_nas.study.stages.search import search

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

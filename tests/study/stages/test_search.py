"""Scores of the whole space, and the search over them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.errors import Interrupted
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.study.stages.learn import StudyLabels
from surrogate_nas.study.stages.prepare import Prepared
from surrogate_nas.study.stages.search import SpaceScores, score_space, search

CONSOLE = StudyConsole(quiet=True)


@pytest.fixture
def scores(prepared: Prepared) -> SpaceScores:
    """The number of parameters as an accuracy."""
    mean = prepared.costs["params"] / 1e3
    return SpaceScores(prepared.pool, mean, np.ones_like(mean))


@pytest.fixture
def labels(prepared: Prepared) -> StudyLabels:
    some = np.linspace(10, 90, len(prepared.drawn))
    return StudyLabels(prepared.drawn, some, 1 / some, len(some))


def test_scores_are_those_of_the_codes_asked_for(prepared: Prepared, scores: SpaceScores) -> None:
    rows = np.array([5, 15_000, 77])
    np.testing.assert_array_equal(scores.predict(prepared.codes[rows]).mean, scores.mean[rows])

    class Half:
        def predict(self, codes: np.ndarray) -> SpaceScores:
            return SpaceScores(prepared.pool, codes.sum(axis=1) / 2, np.zeros(len(codes)))

    np.testing.assert_array_equal(
        score_space(prepared, Half()).mean,  # type: ignore[arg-type]
        prepared.codes.sum(axis=1) / 2,
    )


def test_the_search_finds_the_best_within_the_budgets(
    prepared: Prepared, labels: StudyLabels, scores: SpaceScores, tmp_path: Path
) -> None:
    result = search(prepared, labels, scores, RunFolder(tmp_path), CONSOLE, lambda: False)
    best = prepared.space.index(result.finalists[:1])[0]
    assert prepared.feasible[best]
    assert scores.mean[best] == scores.mean[prepared.feasible].max()
    assert len(result.codes) == prepared.settings.search.trials


def test_other_labels_or_costs_are_another_search(
    prepared: Prepared, labels: StudyLabels, scores: SpaceScores, tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path)
    assert search(prepared, labels, scores, folder, CONSOLE, lambda: False).opened == "created"
    assert search(prepared, labels, scores, folder, CONSOLE, lambda: False).opened == "resumed"
    other = replace(labels, loss=labels.loss + 1)
    assert search(prepared, other, scores, folder, CONSOLE, lambda: False).opened == "replaced"


def test_a_search_stops_when_asked_and_goes_on(
    prepared: Prepared, labels: StudyLabels, scores: SpaceScores, tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path)
    with pytest.raises(Interrupted, match="stopped while searching"):
        search(prepared, labels, scores, folder, CONSOLE, lambda: True)
    part = folder.journal.read_text(encoding="utf-8")
    result = search(prepared, labels, scores, folder, CONSOLE, lambda: False)
    assert result.opened == "resumed"
    whole = folder.journal.read_text(encoding="utf-8")
    assert whole.startswith(part)
    assert len(whole) > len(part)
    assert all(json.loads(line) for line in whole.splitlines())

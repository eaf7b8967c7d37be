"""Findings grow from stage to stage."""

from dataclasses import replace

import numpy as np
import pytest

from surrogate_nas.study.findings import FinalistChoice, FinalistTrainings, Findings, SpaceScores, StudyLabels
from surrogate_nas.study.problem.problem import Problem


def test_later_findings_take_the_place_of_earlier_ones_of_their_type() -> None:
    first = Findings(3, "text")
    later = first | Findings(5)
    assert (first[int], later[int], later[str]) == (3, 5, "text")
    only = later.only((int,))
    with pytest.raises(LookupError, match=r"no stage has found a str \(there are int\)"):
        only[str]
    with pytest.raises(LookupError, match="no stage has found a float"):
        later.only((int, float))


def test_targets_are_larger_where_an_architecture_is_better() -> None:
    labels = StudyLabels(np.zeros((2, 6), np.int8), np.array([10.0, 90.0]), np.array([2.0, 0.1]), 2)
    assert labels.targets("accuracy").tolist() == [10.0, 90.0]
    assert labels.targets("loss").tolist() == [-2.0, -0.1]


@pytest.fixture
def scores(problem: Problem) -> SpaceScores:
    """Returns the number of parameters as an accuracy."""
    mean = problem.costs["params"] / 1e3
    return SpaceScores(problem.pool, mean, np.ones_like(mean))


def test_scores_are_those_of_the_codes_asked_for(problem: Problem, scores: SpaceScores) -> None:
    rows = np.array([5, 15_000, 77])
    np.testing.assert_array_equal(scores.predict(problem.codes[rows]).mean, scores.mean[rows])

    class Half:
        def predict(self, codes: np.ndarray) -> SpaceScores:
            return SpaceScores(problem.pool, codes.sum(axis=1) / 2, np.zeros(len(codes)))

    np.testing.assert_array_equal(
        SpaceScores.of(problem.pool, Half()).mean,
        problem.codes.sum(axis=1) / 2,
    )


def test_notes_stay_with_scores_of_a_larger_pool(problem: Problem, scores: SpaceScores) -> None:
    noted = replace(scores, notes=("trainings: 3 networks",))
    assert noted.over(problem.pool).notes == noted.notes


def test_the_chosen_one_is_a_row_of_the_finalists() -> None:
    choice = FinalistChoice("met", 1, np.array([[0, 1], [2, 3]], np.int8), ())
    assert choice.code.tolist() == [[2, 3]]
    assert choice.measured_ms is None


def test_trained_finalists_say_what_accuracies_are_of_and_how_far_off_they_are(scores: SpaceScores) -> None:
    assert (scores.basis, scores.error_percent(3.5)) == ("with shared weights", 3.5)
    trained = replace(scores, trained=FinalistTrainings(3, 0.75, {"01": 80.0, "10": 79.0}))
    assert (trained.basis, trained.error_percent(3.5)) == ("after 3 epochs of training", 0.75)

"""Labels are checked, and labels of isomorphic architectures become one."""

import re

import numpy as np
import pytest

from surrogate_nas.errors import SettingsError, SpaceError
from surrogate_nas.predictor.training_set import make_training_set
from surrogate_nas.space.space import Space
from tests.predictor.conftest import Problem

# Two inner nodes that swap: conv3x3 by way of node 1, or by way of node 2.
TWINS = np.array([[3, 0, 0, 0, 1, 0], [0, 3, 0, 0, 0, 1]], dtype=np.int8)


def with_twins(problem: Problem) -> np.ndarray:
    return np.concatenate([problem.codes, TWINS, TWINS[:1]])


def test_isomorphic_architectures_share_the_mean_of_their_labels(problem: Problem) -> None:
    codes = with_twins(problem)
    targets = np.r_[problem.targets, 1.0, 4.0, 10.0]
    units = make_training_set(problem.space, codes, targets, 2 * targets, canonical=True)
    assert len(set(units.unit_of_label[-3:])) == 1
    unit = units.unit_of_label[-1]
    same = units.unit_of_label == unit
    assert units.targets[unit] == pytest.approx(targets[same].mean())
    assert units.accuracy_percent[unit] == pytest.approx(2 * targets[same].mean())
    assert np.array_equal(units.codes, problem.space.canonical(units.codes))
    assert len(np.unique(units.groups)) == len(units)


def test_kept_apart_they_still_belong_to_one_group(problem: Problem) -> None:
    codes = with_twins(problem)
    targets = np.r_[problem.targets, 1.0, 4.0, 10.0]
    units = make_training_set(problem.space, codes, targets, targets, canonical=False)
    first, second, repeat = units.unit_of_label[-3:]
    assert first == repeat != second
    assert units.groups[first] == units.groups[second]
    assert units.targets[second] == pytest.approx(4.0)
    assert np.array_equal(units.codes[units.unit_of_label], codes)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("which", ["targets", "accuracies"])
def test_a_label_that_is_not_finite_is_named(problem: Problem, bad: float, which: str) -> None:
    wrong = problem.targets.copy()
    wrong[7] = bad
    arguments = (wrong, problem.targets) if which == "targets" else (problem.targets, wrong)
    with pytest.raises(SettingsError, match=re.escape(f"{which} must be finite (1 of 120 are not; row 7 is {bad})")):
        make_training_set(problem.space, problem.codes, *arguments, canonical=True)


def test_labels_that_are_all_equal_are_refused(problem: Problem) -> None:
    with pytest.raises(SettingsError, match="all 120 labels are 10"):
        make_training_set(problem.space, problem.codes, np.full(120, 10.0), problem.accuracy_percent, canonical=True)


def test_too_few_architectures_are_counted_without_their_twins(problem: Problem) -> None:
    codes = np.tile(TWINS, (25, 1))
    with pytest.raises(SettingsError, match=re.escape("at least 20") + ".*50 labels of 1"):
        make_training_set(problem.space, codes, np.arange(50.0), np.arange(50.0), canonical=False)


def test_no_labels_at_all_are_too_few(space: Space) -> None:
    with pytest.raises(SettingsError, match="0 labels of 0"):
        make_training_set(space, np.empty((0, 6), np.int8), [], [], canonical=True)


def test_one_label_too_few_is_refused(problem: Problem) -> None:
    with pytest.raises(SettingsError, match=re.escape("shape (120,) (got shape (119,))")):
        make_training_set(problem.space, problem.codes, problem.targets[1:], problem.accuracy_percent, canonical=True)


def test_codes_of_another_width_are_refused(problem: Problem) -> None:
    with pytest.raises(SpaceError, match=re.escape("(120, 5)")):
        make_training_set(
            problem.space, problem.codes[:, :5], problem.targets, problem.accuracy_percent, canonical=True
        )


def test_a_value_per_label_is_averaged_per_unit(problem: Problem) -> None:
    units = make_training_set(problem.space, problem.codes, problem.targets, problem.accuracy_percent, canonical=True)
    np.testing.assert_allclose(units.mean_over_labels(problem.targets, "targets"), units.targets)

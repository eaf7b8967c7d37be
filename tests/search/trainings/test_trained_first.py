"""No untrained candidate is believed better than the best trained one of its budgets."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from surrogate_nas.search.trainings.trained_first import trained_first

EVERY = np.ones((1, 4), dtype=np.bool_)


def test_a_lucky_expectation_comes_just_behind_the_best_trained_one() -> None:
    believed = trained_first(np.array([78.98, 75.3, 74.2, 70.0]), [1, 2], EVERY)
    assert believed[1:].tolist() == [75.3, 74.2, 70.0]
    assert 75.2 < believed[0] < 75.3


def test_nothing_changes_where_nothing_was_trained() -> None:
    mean = np.array([1.0, 3.0, 2.0, 0.0])
    assert trained_first(mean, [], EVERY).tolist() == mean.tolist()


def test_what_keeps_no_budget_of_a_trained_one_stays_as_it_is() -> None:
    answers = np.array([[True, True, False, False], [False, False, True, False]])
    mean = np.array([70.0, 80.0, 90.0, 95.0])
    believed = trained_first(mean, [0], answers)
    assert believed[[0, 2, 3]].tolist() == [70.0, 90.0, 95.0]
    assert believed[1] < 70


def test_a_candidate_of_two_budgets_is_held_against_the_lower_one() -> None:
    answers = np.array([[True, False, True, True], [True, True, True, True]])
    believed = trained_first(np.array([70.0, 80.0, 79.0, 69.0]), [0, 1], answers)
    assert believed[2] < 70
    assert believed[1] == 80


@given(
    hnp.arrays(np.float64, 12, elements=st.floats(0, 100)),
    st.lists(st.integers(0, 11), min_size=1, max_size=6, unique=True),
    hnp.arrays(np.bool_, (2, 12)),
)
def test_the_best_of_every_budget_was_trained_and_one_budget_keeps_its_order(
    mean: np.ndarray, trained: list[int], answers: np.ndarray
) -> None:
    believed = trained_first(mean, trained, answers)
    assert (believed[trained] == mean[trained]).all()
    assert (believed <= mean).all()
    for allowed in answers:
        known = [row for row in trained if allowed[row]]
        others = np.setdiff1d(np.flatnonzero(allowed), trained)
        if known and len(others):
            assert believed[others].max() < mean[known].max()
    alone = trained_first(mean, trained, answers[:1])
    others = np.setdiff1d(np.flatnonzero(answers[0]), trained)
    order = np.argsort(mean[others], kind="stable")
    assert (np.diff(alone[others][order]) >= 0).all()

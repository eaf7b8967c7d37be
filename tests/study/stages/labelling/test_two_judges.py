"""Two judges count the same, whatever the scale of their labels."""

import numpy as np
import pytest

from surrogate_nas.study.findings import StudyLabels
from surrogate_nas.study.stages.labelling.two_judges import mean_of


def labels_of(accuracy: np.ndarray, loss: np.ndarray) -> StudyLabels:
    return StudyLabels(np.arange(len(loss), dtype=np.int8)[:, None], accuracy, loss, len(loss))


@pytest.fixture
def judges() -> tuple[StudyLabels, StudyLabels]:
    rng = np.random.default_rng(0)
    first = labels_of(rng.normal(50, 5, 40), rng.normal(2, 0.1, 40))
    return first, labels_of(rng.normal(30, 1, 40), rng.normal(0.8, 0.01, 40))


def test_both_count_the_same(judges: tuple[StudyLabels, StudyLabels]) -> None:
    first, second = judges
    found = mean_of(first, second)
    for name in ("accuracy_percent", "loss"):
        values = getattr(found, name)
        alike = [np.corrcoef(values, getattr(one, name))[0, 1] for one in judges]
        assert alike[0] == pytest.approx(alike[1])
        assert values.mean() == pytest.approx(getattr(first, name).mean())
        other_way = getattr(mean_of(second, first), name)
        np.testing.assert_array_equal(np.argsort(values), np.argsort(other_way))


def test_labels_that_agree_stay(judges: tuple[StudyLabels, StudyLabels]) -> None:
    first, _ = judges
    same = labels_of(first.accuracy_percent / 10 + 3, 7 * first.loss)
    found = mean_of(first, same)
    np.testing.assert_allclose(found.loss, first.loss)
    np.testing.assert_allclose(found.accuracy_percent, first.accuracy_percent)


def test_a_judge_that_says_nothing_moves_nothing(judges: tuple[StudyLabels, StudyLabels]) -> None:
    first, _ = judges
    silent = labels_of(np.full(40, 10.0), np.full(40, 1.0))
    np.testing.assert_array_equal(np.argsort(mean_of(first, silent).loss), np.argsort(first.loss))


def test_no_mean_is_beyond_what_a_label_can_be() -> None:
    first = labels_of(np.array([0.0, 50.0, 100.0]), np.array([0.0, 0.01, 9.0]))
    found = mean_of(first, labels_of(np.array([0.0, 0.0, 99.0]), np.array([0.0, 9.0, 9.0])))
    assert found.accuracy_percent.min() >= 0
    assert found.accuracy_percent.max() <= 100
    assert found.loss.min() >= 0

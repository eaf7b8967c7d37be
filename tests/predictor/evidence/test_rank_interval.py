"""Stated shares against what is held of labels that took no part."""

import numpy as np
import pytest

from surrogate_nas.predictor.evidence.rank_interval import RankIntervals, rank_intervals


def problem(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns scores that are informative about good architectures and hardly about the others."""
    rng = np.random.default_rng(seed)
    labels = rng.uniform(-1, 1, count)
    return labels + rng.normal(0, np.where(labels > 0.3, 0.05, 0.3)), labels


@pytest.mark.parametrize(("level", "slack"), [(0.8, 0.05), (0.95, 0.03)])
def test_intervals_hold_what_they_state(level: float, slack: float) -> None:
    scores, labels = problem(600, 0)
    intervals = rank_intervals(scores, labels, np.arange(600) % 5, level)
    unseen, truth = problem(4000, 1)
    low, high = intervals(unseen)
    ranks = np.searchsorted(np.sort(labels), truth) / 600
    assert ((low <= ranks) & (ranks <= high)).mean() == pytest.approx(level, abs=slack)
    assert intervals.coverage == pytest.approx(level, abs=slack)


def test_intervals_are_wider_where_scores_say_less() -> None:
    intervals = rank_intervals(*problem(2000, 0))
    assert len(intervals.half_widths) == 5
    assert intervals.half_widths[1] > 1.5 * intervals.half_widths[4]
    assert np.isnan(intervals.coverage)


def test_few_labels_make_one_interval_and_too_few_none() -> None:
    assert rank_intervals(*problem(60, 0)).half_widths.shape == (1,)
    low, high = rank_intervals(*problem(3, 0))(np.array([-5.0, 0.0, 5.0]))
    assert low.tolist() == [0, 0, 0]
    assert high.tolist() == [1, 1, 1]


def test_scores_without_any_information_have_wide_intervals() -> None:
    rng = np.random.default_rng(0)
    intervals = rank_intervals(rng.normal(size=500), rng.normal(size=500), np.arange(500) % 5)
    low, high = intervals(np.array([0.0]))
    assert high[0] - low[0] > 0.6
    assert intervals.coverage == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize("half", [np.array(0.5), np.zeros(0), np.zeros((2, 2))])
def test_intervals_of_other_shapes_are_refused(half: np.ndarray) -> None:
    with pytest.raises(ValueError, match="intervals are of shapes"):
        RankIntervals(np.arange(3.0), half, 0.95, 0.95)

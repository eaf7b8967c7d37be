"""Rank measures against scipy, against counting pairs, and on cases worked out by hand."""

import re
from fractions import Fraction
from itertools import combinations
from math import ceil, isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import norm

from surrogate_nas.ranking import (
    bootstrap_interval,
    bootstrap_values,
    kendall_tau,
    percentile_interval,
    regret,
    top_tau,
)

# Few distinct values, so that ties are the rule.
PAIRS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=25)


def tau_by_pairs(score: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """Returns Kendall's tau-b: concordant less discordant pairs over the geometric mean of pairs untied in each."""
    agree = first = second = 0
    for i, j in combinations(range(len(score)), 2):
        a, b = np.sign(score[i] - score[j]), np.sign(truth[i] - truth[j])
        agree, first, second = agree + a * b, first + abs(a), second + abs(b)
    return float(agree / np.sqrt(first * second)) if first and second else float("nan")


@given(PAIRS)
def test_tau_agrees_with_counting_pairs(pairs: list[tuple[int, int]]) -> None:
    score, truth = np.array(pairs, dtype=np.float64).T
    assert kendall_tau(score, truth) == pytest.approx(tau_by_pairs(score, truth), abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("score", [np.zeros(0), np.zeros(1), np.ones(5)])
def test_tau_is_undefined_without_an_order(score: NDArray[np.float64]) -> None:
    assert isnan(kendall_tau(score, np.arange(len(score), dtype=np.float64)))
    assert isnan(kendall_tau(np.arange(len(score), dtype=np.float64), score))


@given(PAIRS, st.sampled_from([0.1, 0.25, 0.5, 1.0]))
def test_top_tau_is_tau_among_the_best_by_truth(pairs: list[tuple[int, int]], fraction: float) -> None:
    score, truth = np.array(pairs, dtype=np.float64).T
    # Between two values the threshold leaves the upper one in; ties with it are in as well.
    best = truth >= np.sort(truth)[ceil((1 - Fraction(str(fraction))) * (len(truth) - 1))]
    assert top_tau(score, truth, fraction) == pytest.approx(tau_by_pairs(score[best], truth[best]), nan_ok=True)


def test_top_tau_of_a_score_that_is_right_at_the_bottom_only() -> None:
    truth = np.arange(100.0)
    score = np.where(truth < 90, truth, 189 - truth)
    assert kendall_tau(score, truth) > 0.9
    assert top_tau(score, truth) == pytest.approx(-1)
    assert isnan(top_tau(np.zeros(0), np.zeros(0)))


def test_regret_is_what_the_pick_falls_short_of_the_best() -> None:
    truth = np.array([90.0, 94.0, 91.5, 93.0])
    score = np.array([4.0, 1.0, 3.0, 2.0])
    assert [regret(score, truth, best_of) for best_of in (1, 2, 3, 4, 9)] == [4.0, 2.5, 1.0, 0.0, 0.0]
    assert regret(truth, truth) == 0.0
    assert isnan(regret(np.zeros(0), np.zeros(0)))


@given(PAIRS)
def test_regret_never_grows_with_more_picks(pairs: list[tuple[int, int]]) -> None:
    score, truth = np.array(pairs, dtype=np.float64).T
    regrets = [regret(score, truth, best_of) for best_of in range(1, len(pairs) + 1)]
    assert regrets == sorted(regrets, reverse=True)
    assert regrets[-1] == 0


@pytest.mark.parametrize("measure", [kendall_tau, top_tau, regret])
@pytest.mark.parametrize(
    ("score", "truth", "message"),
    [
        (np.zeros(3), np.zeros(2), "one and the same length (got shapes (3,) and (2,))"),
        (np.zeros((2, 2)), np.zeros((2, 2)), "one and the same length (got shapes (2, 2) and (2, 2))"),
        (np.array([0.0, np.nan]), np.zeros(2), "must be finite"),
        (np.zeros(2), np.array([0.0, np.inf]), "must be finite"),
    ],
)
def test_what_cannot_be_ranked_is_refused(
    measure: type[float], score: NDArray[np.float64], truth: NDArray[np.float64], message: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        measure(score, truth)  # type: ignore[call-arg]


def test_a_best_of_none_is_refused() -> None:
    with pytest.raises(ValueError, match=re.escape("best_of must be at least 1 (got 0)")):
        regret(np.zeros(2), np.zeros(2), 0)


# Intervals


def test_an_interval_of_a_mean_is_that_of_the_normal_distribution() -> None:
    values = np.random.default_rng(0).normal(size=400)
    low, high = bootstrap_interval(lambda i: float(values[i].mean()), 400, seed=1, resamples=2000)
    half = norm.ppf(0.975) * values.std() / np.sqrt(400)
    assert low == pytest.approx(values.mean() - half, abs=0.01)
    assert high == pytest.approx(values.mean() + half, abs=0.01)


def test_a_higher_level_gives_a_wider_interval() -> None:
    values = np.random.default_rng(0).normal(size=50)

    def interval(level: float) -> tuple[float, float]:
        return bootstrap_interval(lambda i: float(values[i].mean()), 50, seed=1, level=level)

    (low, high), (lower, higher) = interval(0.5), interval(0.99)
    assert lower < low < high < higher


def test_groups_are_resampled_whole() -> None:
    groups = np.array([7, 3, 7, 3, 3, 9])
    seen: list[NDArray[np.int64]] = []

    def remember(positions: NDArray[np.int64]) -> float:
        seen.append(positions)
        return 0.0

    bootstrap_interval(remember, 6, seed=0, groups=groups, resamples=50)
    assert len(seen) == 50
    for drawn in seen:
        times = np.bincount(drawn, minlength=6)
        assert times[0] == times[2]
        assert times[1] == times[3] == times[4]
        assert times[0] + times[1] + times[5] == 3


def test_equal_values_within_groups_widen_the_interval() -> None:
    """Ten copies of each of twenty values say no more than the twenty."""
    values = np.repeat(np.random.default_rng(0).normal(size=20), 10)

    def width(groups: NDArray[np.int64] | None) -> float:
        low, high = bootstrap_interval(lambda i: float(values[i].mean()), 200, seed=0, groups=groups, resamples=500)
        return high - low

    assert width(np.repeat(np.arange(20), 10)) == pytest.approx(np.sqrt(10) * width(None), rel=0.25)


def test_undefined_resamples_are_left_out() -> None:
    values = iter([float("nan"), 1.0, 1.0, float("nan")])
    assert bootstrap_interval(lambda _: next(values), 3, seed=0, resamples=4) == (1.0, 1.0)
    assert all(map(isnan, bootstrap_interval(lambda _: float("nan"), 3, seed=0)))
    assert all(map(isnan, bootstrap_interval(lambda i: float(len(i)) / len(i) if len(i) else float("nan"), 0, seed=0)))


def test_an_interval_repeats_with_its_seed() -> None:
    values = np.random.default_rng(0).normal(size=30)
    first, again, other = (bootstrap_interval(lambda i: float(values[i].mean()), 30, seed=seed) for seed in (1, 1, 2))
    assert first == again != other


def test_values_of_the_bootstrap_are_those_of_the_interval() -> None:
    numbers = np.random.default_rng(0).normal(size=40)
    values = bootstrap_values(lambda rows: float(numbers[rows].mean()), 40, seed=3)
    assert len(values) == 200
    assert percentile_interval(values) == bootstrap_interval(lambda rows: float(numbers[rows].mean()), 40, seed=3)
    assert all(map(isnan, percentile_interval(values[:0])))

"""Acquisitions against their definitions."""

import numpy as np
import pytest

from surrogate_nas.search.acquisition import acquire, expected_improvement

MEAN, STD = np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.0, 1.0])


def test_the_mean_is_the_mean_and_the_bound_adds_deviations() -> None:
    assert acquire(MEAN, STD, "mean", 2.0, None) is MEAN
    assert acquire(MEAN, STD, "ucb", 2.0, None).tolist() == [2.0, 2.0, 5.0]
    assert acquire(MEAN, STD, "ei", 2.0, None) is MEAN


def test_expected_improvement_is_the_mean_of_positive_parts() -> None:
    draws = np.random.default_rng(0).normal(size=(200_000, 1)) * STD + MEAN
    expected = np.maximum(draws - 2.5, 0).mean(axis=0)
    assert acquire(MEAN, STD, "ei", 0.0, 2.5) == pytest.approx(expected, abs=0.005)


def test_improvement_is_never_negative() -> None:
    gap = np.array([-1e3, -30.0, -1.0, 0.0])
    assert (expected_improvement(gap, np.full(4, 0.1)) >= 0).all()
    assert expected_improvement(np.array([-1.0, 1.0]), np.zeros(2)).tolist() == [0.0, 1.0]

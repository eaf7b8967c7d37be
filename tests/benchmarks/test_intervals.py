"""Student's interval against scipy's."""

import math

import numpy as np
import pytest
from scipy import stats

from benchmarks.intervals import mean_and_interval


def test_it_is_students() -> None:
    values = [0.71, 0.74, 0.69, 0.75]
    mean, low, high = mean_and_interval(values)
    expected = stats.t.interval(0.95, 3, loc=np.mean(values), scale=stats.sem(values))
    assert (mean, low, high) == pytest.approx((np.mean(values), *expected))


def test_one_value_has_no_interval() -> None:
    mean, low, high = mean_and_interval([0.5, math.nan])
    assert mean == 0.5
    assert math.isnan(low)
    assert math.isnan(high)


def test_nothing_has_no_mean() -> None:
    assert all(map(math.isnan, mean_and_interval([math.nan])))

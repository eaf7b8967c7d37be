"""Intervals of shares."""

from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from surrogate_nas.deploy.accuracy import Accuracy


def test_wilson_s_interval() -> None:
    # Wilson's score interval of 90 of 100, by its formula.
    accuracy = Accuracy.of(90, 100)
    assert (accuracy.percent, accuracy.images) == (90, 100)
    assert accuracy.low == pytest.approx(82.5633, abs=1e-3)
    assert accuracy.high == pytest.approx(94.4770, abs=1e-3)


@given(images=st.integers(1, 10_000), share=st.floats(0, 1))
def test_the_share_is_inside_its_interval(images: int, share: float) -> None:
    accuracy = Accuracy.of(round(share * images), images)
    assert -1e-9 <= accuracy.low <= accuracy.percent + 1e-9
    assert accuracy.percent <= accuracy.high + 1e-9 <= 100 + 2e-9


@given(images=st.integers(1, 10_000), share=st.floats(0, 1))
def test_it_is_the_interval_of_scipy(images: int, share: float) -> None:
    accuracy = Accuracy.of(round(share * images), images)
    interval = binomtest(round(share * images), images).proportion_ci(method="wilson")
    assert accuracy.low == pytest.approx(100 * float(interval.low), abs=1e-9)
    assert accuracy.high == pytest.approx(100 * float(interval.high), abs=1e-9)


def test_it_comes_back_from_json_and_reads_well() -> None:
    accuracy = Accuracy.of(1, 1)
    assert Accuracy.from_json(asdict(accuracy)) == accuracy
    assert str(accuracy) == "100.00% (95%: 20.65 to 100.00%) of 1 test image"

"""Samples are summarised to a measurement."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surrogate_nas.hardware.measurement import Measurement, summarize


def test_on_a_quiet_machine_it_is_the_plain_median() -> None:
    seconds = np.random.default_rng(0).uniform(0.010, 0.0105, size=101)
    result = summarize(seconds, noise=0.1)
    assert result.median_ms == pytest.approx(1e3 * np.median(seconds))
    assert result.iqr_ms == pytest.approx(1e3 * np.subtract(*np.percentile(seconds, [75, 25])))
    assert (result.repeats, result.disturbed, result.noisy) == (101, 0, False)


@pytest.mark.parametrize(("share", "noisy"), [(0.4, False), (0.6, True)])
def test_samples_of_a_busy_machine_do_not_count_but_most_of_them_are_noise(share: float, noisy: bool) -> None:
    rng = np.random.default_rng(1)
    seconds = rng.uniform(0.010, 0.0102, size=200)
    seconds[: int(200 * share)] *= 1.8
    result = summarize(seconds, noise=0.1)
    assert result.median_ms == pytest.approx(10.1, abs=0.05)
    assert result.disturbed == int(200 * share)
    assert result.noisy is noisy


def test_a_wide_range_is_noise() -> None:
    assert summarize(np.linspace(0.010, 0.012, 50), noise=0.05).noisy
    assert not summarize(np.linspace(0.010, 0.012, 50), noise=0.2).noisy


@given(st.lists(st.floats(1e-7, 10.0), min_size=1, max_size=50))
def test_any_samples_make_a_measurement_that_json_keeps(seconds: list[float]) -> None:
    result = summarize(np.array(seconds), noise=0.1)
    assert min(seconds) * 999 <= result.median_ms <= max(seconds) * 1001
    assert result.repeats + result.disturbed == len(seconds)
    assert Measurement.from_json(json.loads(json.dumps(asdict(result)))) == result


GOOD = asdict(summarize(np.ones(3), noise=0.1))


@pytest.mark.parametrize(
    "change",
    [
        {"median_ms": 0.0},
        {"median_ms": float("nan")},
        {"median_ms": "1"},
        {"iqr_ms": -1.0},
        {"iqr_ms": 10**40},
        {"repeats": 10**400},
        {"repeats": 0},
        {"disturbed": -1},
        {"noisy": 1},
        {"measured_at": "yesterday"},
        {"more": 1},
    ],
)
def test_an_impossible_measurement_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Measurement.from_json({**GOOD, **change})
    with pytest.raises(ValueError, match="has the keys median_ms"):
        Measurement.from_json([])

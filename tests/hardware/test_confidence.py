"""Upper bounds of latencies: their coverage on fresh errors of known distributions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.confidence import cautious, upper_error


def coverage(count: int, draw: str, confidence: float = 0.95) -> float:
    rng = np.random.default_rng(0)
    fresh = getattr(rng, draw)(size=200_000) * 0.05
    shares = [np.mean(fresh <= upper_error(getattr(rng, draw)(size=count) * 0.05, confidence)) for _ in range(300)]
    return float(np.mean(shares))


@pytest.mark.parametrize("count", [8, 14, 19, 58, 100])
def test_normal_errors_are_covered_as_often_as_asked(count: int) -> None:
    # Few errors are also bounded by the largest of them, which covers a little more.
    assert 0.945 < coverage(count, "standard_normal") < (0.975 if count < 19 else 0.97)


def test_errors_of_any_distribution_are_covered_where_there_are_enough() -> None:
    assert coverage(19, "standard_exponential") == pytest.approx(0.95, abs=0.01)
    assert coverage(100, "standard_exponential") == pytest.approx(0.95, abs=0.01)
    assert coverage(100, "standard_normal", 0.8) == pytest.approx(0.8, abs=0.01)


@given(st.lists(st.floats(-0.5, 2), min_size=2, max_size=60), st.floats(0.5, 0.9), st.floats(0.005, 0.09))
def test_more_confidence_is_never_less_cautious(errors: list[float], confidence: float, more: float) -> None:
    values = np.array(errors)
    assert 0 <= upper_error(values, confidence) <= upper_error(values, confidence + more) + 1e-9


def test_costs_that_were_not_predicted_are_their_own_bounds() -> None:
    values = np.array([1.0, 2.0])
    assert cautious(values, np.zeros(0), 0.95) is values
    np.testing.assert_allclose(cautious(values, np.full(100, 0.25), 0.95), [1.25, 2.5])


@pytest.mark.parametrize("confidence", [0.4, 1.0, 95.0, float("nan")])
def test_what_is_no_confidence_is_refused(confidence: float) -> None:
    with pytest.raises(SettingsError, match=r"at least 0\.5 and below 1"):
        upper_error(np.zeros(5), confidence)


def test_one_error_is_no_ground_for_a_bound() -> None:
    with pytest.raises(SettingsError, match=r"at least 2 measured networks \(got 1\)"):
        upper_error(np.zeros(1), 0.95)

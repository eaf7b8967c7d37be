"""Ranks against scipy's, on and off the reference set."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import rankdata, zscore

from surrogate_nas.errors import TrainingError
from surrogate_nas.predictor.fusion import rank_transform as module
from surrogate_nas.predictor.fusion.rank_transform import rank_transform, reference_codes
from surrogate_nas.space.space import Space


@given(st.lists(st.integers(-50, 50), min_size=2, max_size=60).filter(lambda values: len(set(values)) > 1))
def test_reference_values_get_their_standardised_rank(values: list[int]) -> None:
    reference = np.array(values, dtype=np.float64)
    np.testing.assert_allclose(rank_transform(reference, "values")(reference), zscore(rankdata(reference)), atol=1e-9)


def test_other_values_lie_between_and_beyond() -> None:
    transform = rank_transform(np.array([1.0, 2.0, 4.0]), "values")
    low, middle, high = transform(np.array([1.0, 2.0, 4.0]))
    other = transform(np.array([-1.0, 3.0, 8.0]))
    assert other.tolist() == pytest.approx([low - 2 * (middle - low), (middle + high) / 2, high + 2 * (high - middle)])


def test_a_single_outlier_does_not_set_the_slope_beyond() -> None:
    transform = rank_transform(np.append(np.arange(999.0), 999.001), "values")
    ends = transform(np.array([999.001, 1009.001]))
    assert ends[1] - ends[0] == pytest.approx(np.subtract(*transform(np.array([10.0, 0.0]))), rel=1e-3)


@pytest.mark.parametrize("least", [1e-12, 5e-324])
def test_values_that_differ_by_rounding_have_no_slope(least: float) -> None:
    transform = rank_transform(np.array([-1.0, -1.0 + max(least, 1e-15), 0.0, 1.0 - max(least, 1e-15), 1.0]), "values")
    ends = transform(np.array([-1.01, -1.0, 1.0, 1.01]))
    assert 0 < ends[1] - ends[0] < 0.05
    assert 0 < ends[3] - ends[2] < 0.05
    near_zero = rank_transform(np.array([0.0, least, 1.0]), "values")
    assert np.isfinite(near_zero(np.array([-1.0, 0.0, least, 0.5, 2.0]))).all()


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40), st.lists(st.floats(-1e7, 1e7), min_size=2, max_size=40))
def test_the_order_of_all_values_is_kept(reference: list[float], values: list[float]) -> None:
    assume(np.ptp(reference) > 1e-3)
    ranks = rank_transform(np.array(reference), "values")(np.sort(values))
    assert (np.diff(ranks) >= -1e-9).all()  # interpolation rounds


@pytest.mark.parametrize("values", [[1.0, 1.0], [1.0, np.nan], []])
def test_values_without_an_order_are_refused(values: list[float]) -> None:
    with pytest.raises(TrainingError, match="sizes must be finite and differ"):
        rank_transform(np.array(values), "sizes")


def test_a_small_space_is_its_own_reference(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    assert np.array_equal(reference_codes(space, 0), space.all_codes())
    monkeypatch.setattr(module, "REFERENCE_SIZE", 100)
    first, again, other = (reference_codes(space, seed) for seed in (0, 0, 1))
    assert first.shape == (100, 6)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)

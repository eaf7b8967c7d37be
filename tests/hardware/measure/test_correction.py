"""The correction recovers laws that it can express, and reports its own accuracy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from surrogate_nas.hardware.measure.correction import KINDS, Correction, fit_correction


def groups_of(count: int, seed: int) -> NDArray[np.float64]:
    groups = np.random.default_rng(seed).uniform(0.0, 3.0, size=(count, 4))
    groups[:, 0] = 1.5  # fixed layers take the same time in every network
    return groups


@given(st.lists(st.floats(0.0, 3.0), min_size=4, max_size=4).filter(lambda factors: factors[0] > 0.1), st.integers(0))
@settings(max_examples=30, deadline=None)
def test_factors_per_group_are_recovered(factors: list[float], seed: int) -> None:
    groups = groups_of(12, seed)
    fit = fit_correction(groups, groups @ factors)
    assert fit.relative_error < 1e-6
    others = groups_of(50, seed + 1)
    np.testing.assert_allclose(fit.predict(others), others @ factors, rtol=1e-5)


def test_a_scale_and_an_offset_are_recovered_from_few_networks() -> None:
    groups = groups_of(4, 0)
    fit = fit_correction(groups, 0.3 + 1.2 * groups.sum(axis=1))
    assert fit.kind == "scale and offset"
    np.testing.assert_allclose(fit.coefficients, [0.3, 1.2], rtol=1e-9)


def test_the_stated_error_is_that_of_networks_left_out() -> None:
    rng = np.random.default_rng(5)
    groups = groups_of(9, 1)
    measured = groups @ [1.0, 0.5, 2.0, 1.0] * rng.uniform(0.9, 1.1, size=9)
    fit = fit_correction(groups, measured)
    others = [np.delete(np.arange(9), left_out) for left_out in range(9)]
    refits = [fit_correction(groups[rows], measured[rows]) for rows in others]
    expected = [refit.predict(groups[[row]])[0] / measured[row] - 1 for row, refit in enumerate(refits)]
    same_kind = [row for row, refit in enumerate(refits) if refit.kind == fit.kind]
    assert same_kind
    np.testing.assert_allclose(fit.errors[same_kind], np.array(expected)[same_kind])
    assert fit.relative_error == np.median(np.abs(fit.errors))


@pytest.mark.parametrize("seed", range(5))
def test_predictions_are_never_below_zero(seed: int) -> None:
    rng = np.random.default_rng(seed)
    fit = fit_correction(groups_of(8, seed), rng.uniform(0.1, 9.0, size=8))
    assert fit.kind in KINDS
    assert (fit.predict(groups_of(200, seed + 50)) > 0).all()


def test_one_network_is_too_few() -> None:
    with pytest.raises(ValueError, match=r"at least 2 measured networks \(got 1\)"):
        fit_correction(np.ones((1, 3)), np.ones(1))


def test_a_kind_that_predicts_nothing_for_one_network_is_not_taken() -> None:
    """Only one network has the last group, so a factor per group predicts nothing for it where it is left out."""
    groups = groups_of(8, 3)
    groups[:, 1:] = 0.0
    groups[:, 1] = np.linspace(0.0, 0.02, 8)
    groups[-1] = [0.0, 0.0, 0.0, 4.0]
    measured = groups.sum(axis=1) * np.linspace(0.9, 1.1, 8)
    fit = fit_correction(groups, measured)
    assert fit.kind == "scale and offset"
    assert np.abs(np.log(1 + fit.errors)).max() < 1


def test_a_factor_by_shares_is_found_where_neighbours_matter() -> None:
    """Networks of one kind of piece run faster than their sum, and long ones faster than short ones."""
    rng = np.random.default_rng(0)

    def networks(count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        groups = rng.uniform(0.0, 1.0, size=(count, 4)) * rng.uniform(0.1, 5.0, size=(count, 1))
        total = groups.sum(axis=1)
        factor = np.exp(-0.2 + 0.5 * groups[:, 1] / total - 0.15 * np.log(total))
        return groups, total * factor * rng.uniform(0.99, 1.01, size=count)

    fit = fit_correction(*networks(60))
    assert fit.kind == "factor by shares"
    groups, measured = networks(200)
    assert np.abs(fit.predict(groups) / measured - 1).max() < 0.1
    assert [*fit.named(("a", "b", "c", "d"))] == [
        "log_factor",
        *"abcd",
        "logarithm of the sum",
        "logarithm of the weights",
    ]
    assert fit.named(("a", "b", "c", "d"))["logarithm of the sum"] == pytest.approx(-0.15, abs=0.03)


def test_weights_that_leave_a_cache_make_networks_slower() -> None:
    rng = np.random.default_rng(1)

    def networks(count: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        groups, weights = rng.uniform(0.1, 1.0, size=(count, 3)), 10 ** rng.uniform(4, 7, size=count)
        factor = np.exp(0.08 * np.log(weights) - 1)
        return groups, groups.sum(axis=1) * factor * rng.uniform(0.98, 1.02, size=count), weights

    groups, measured, weights = networks(30)
    fit, blind = fit_correction(groups, measured, weights), fit_correction(groups, measured)
    assert fit.kind == "factor by shares"
    assert fit.named(("a", "b", "c"))["logarithm of the weights"] == pytest.approx(0.08, abs=0.015)
    assert fit.mean_log_factor < blind.mean_log_factor / 3
    groups, measured, weights = networks(200)
    assert np.abs(fit.predict(groups, weights) / measured - 1).max() < 0.15


def test_no_network_takes_no_time() -> None:
    groups = np.array([[0.0, 1.0], [2.0, 0.0]])
    nothing = Correction("factor per group", np.zeros(2), np.zeros(4))
    np.testing.assert_allclose(nothing.predict(groups), [0.05, 0.1])

"""Latencies from few measurements, on made-up devices whose latencies are known and on a recorded one."""

from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.errors import MeasurementError
from surrogate_nas.hardware.regression.features import ChainFeatures, View, latency_views
from surrogate_nas.hardware.regression.sparse import fit_latency, fit_views, resolution
from surrogate_nas.hardware.tables.text_columns import read_columns
from surrogate_nas.hardware.transfer.design import choose_informative, design_features
from surrogate_nas.ranking import kendall_tau
from surrogate_nas.space.space import Space

OF_OPERATION = np.array([0.1, 0.4, 1.0, 3.0, 0.7])


@pytest.fixture(scope="module")
def views() -> tuple[View, ...]:
    from surrogate_nas.space.load import load_space

    space = load_space("nasbench201")
    return latency_views(space, space.all_codes())


@pytest.fixture(scope="module")
def rows(views: tuple[View, ...]) -> np.ndarray:
    return choose_informative(design_features(views), 60)


@pytest.mark.slow
def test_a_sum_over_operations_is_found_exactly(space: Space, views: tuple[View, ...], rows: np.ndarray) -> None:
    truth = 2 + OF_OPERATION[space.all_codes()].sum(axis=1)
    fit = fit_latency(views, rows, truth[rows], seed=0)
    np.testing.assert_allclose(fit.predicted_ms, truth, rtol=1e-3)
    assert fit.relative_error < 1e-3
    assert fit.upper_ms(0.95) == pytest.approx(fit.predicted_ms, rel=1e-3)


def test_disturbed_measurements_do_not_drag_the_rest(space: Space, views: tuple[View, ...], rows: np.ndarray) -> None:
    truth = 2 + OF_OPERATION[space.all_codes()].sum(axis=1)
    measured = truth[rows].copy()
    measured[np.random.default_rng(0).permutation(len(rows))[:15]] *= 1.4
    fit = fit_latency(views, rows, measured, seed=0)
    # Least squares would be 10% off, as much as the measurements are on average.
    assert np.median(np.abs(fit.predicted_ms / truth - 1)) < 0.03
    # The bound knows that a quarter of the measurements come out a good third higher.
    assert fit.upper_ms(0.95)[0] / fit.predicted_ms[0] == pytest.approx(1.4, abs=0.1)


@pytest.mark.slow
def test_whole_milliseconds_are_predicted_as_such(space: Space, views: tuple[View, ...], rows: np.ndarray) -> None:
    truth = np.round(5 + 3 * OF_OPERATION[space.all_codes()].sum(axis=1))
    fit = fit_latency(views, rows, truth[rows], seed=0)
    np.testing.assert_allclose(fit.predicted_ms, np.round(fit.predicted_ms), rtol=0, atol=1e-9)


@pytest.mark.slow
def test_a_recorded_device(shared_data: Path, views: tuple[View, ...]) -> None:
    columns = read_columns(shared_data / "nasbench201_latency_ms.csv")
    truth = np.array(columns.texts("silver_4210r"), dtype=float)
    rows = choose_informative(design_features(views), 100)
    fit = fit_latency(views, rows, truth[rows], seed=0)
    assert np.median(np.abs(fit.predicted_ms / truth - 1)) < 0.02
    assert kendall_tau(fit.predicted_ms, truth) > 0.94


@pytest.mark.parametrize(
    ("values", "step"), [([1, 2, 30], 1.0), ([1.5, 2], 0.5), ([0.3001, 2], 0.0001), ([1 / 3, 2], 0.0)]
)
def test_steps_of_measurements_are_recognised(values: list[float], step: float) -> None:
    assert resolution(np.array(values)) == step


@pytest.mark.parametrize(
    ("count", "bad", "message"), [(9, 1.0, r"at least 10 measured networks \(got 9\)"), (20, 0.0, "above zero")]
)
def test_bad_measurements_are_refused(views: tuple[View, ...], count: int, bad: float, message: str) -> None:
    measured = np.ones(count)
    measured[0] = bad
    with pytest.raises(MeasurementError, match=message):
        fit_latency(views, np.arange(count), measured, seed=0)


def test_a_fit_predicts_architectures_that_it_never_saw() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, (260, 8))
    truth = 2 + (codes * [1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7]).sum(axis=1)
    features = ChainFeatures(codes)
    # More than the choices of priors, noise and loss are made on.
    fit = fit_views(features.views(codes[:200]), truth[:200], seed=0, least=0.25, rounds=False)
    np.testing.assert_allclose(fit.predict(features.views(codes[200:])), truth[200:], rtol=0.01)
    np.testing.assert_allclose(fit.sums(features.views(codes[200:])), truth[200:], rtol=0.01)
    assert fit.errors.shape == (200,)
    assert np.abs(fit.errors).max() < 0.02


def test_predictions_do_not_fall_below_a_share_of_the_smallest_measurement() -> None:
    codes = np.random.default_rng(0).integers(0, 3, (60, 4))
    truth = 1.0 + codes.sum(axis=1)
    features = ChainFeatures(np.concatenate([codes, np.zeros((1, 4), dtype=int)]))
    some = truth > 3
    least = [
        fit_views(features.views(codes[some]), truth[some], seed=0, least=share).predict(features.views(codes)).min()
        for share in (1.0, 0.25)
    ]
    assert least[0] == truth[some].min()
    assert least[1] < truth[some].min()

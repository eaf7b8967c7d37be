"""Devices known by a table, or by few measurements that are counted."""

import numpy as np
import pytest

from benchmarks.budget_latency import DeviceLatency, from_samples, from_table
from surrogate_nas.errors import SettingsError
from surrogate_nas.space.load import load_space


def test_a_table_is_believed_without_measuring() -> None:
    device = from_table(np.array([1.0, 2.0]))
    assert device.fits(0, 1.5, measure=True)
    assert not device.fits(1, 1.5, measure=True)
    assert device.measured_ms == {}


def test_measurements_are_counted_and_end() -> None:
    true = np.array([1.0, 2.0, 3.0])
    device = DeviceLatency(np.ones(3), np.full(3, 1.2), 1, true)
    assert not device.fits(1, 1.5, measure=True)
    assert device.checks == 0
    assert not device.fits(1, 1.5, measure=True)  # known by now
    assert device.fits(2, 1.5, measure=True)  # believed, since nothing is left to measure with
    assert device.updated(device.expected_ms).tolist() == [1.0, 2.0, 1.0]


@pytest.mark.slow
def test_samples_predict_the_rest_and_leave_a_tenth_for_checks() -> None:
    space = load_space("nasbench201")
    codes = space.all_codes()
    true = 1 + (codes == 3).sum(axis=1) + 0.5 * (codes == 2).sum(axis=1)
    device = from_samples(space, true.astype(float), 60, 0)
    assert device.checks == 6
    assert len(device.measured_ms) == 54
    assert np.corrcoef(device.expected_ms, true)[0, 1] > 0.9
    assert (device.cautious_ms >= device.expected_ms - 1e-9).all()
    with pytest.raises(SettingsError, match="--latency-samples must be between"):
        from_samples(space, true.astype(float), 5, 0)

"""Values that are of another unit."""

import numpy as np

from surrogate_nas.hardware.tables.latency_units import doubt_of_unit


def test_units_are_doubted_by_the_median() -> None:
    assert "looks like seconds" in str(doubt_of_unit(np.array([0.01, 0.02, 5])))
    assert "looks like microseconds" in str(doubt_of_unit(np.array([1, 6000, 90_000])))
    assert doubt_of_unit(np.array([0.01, 2, 9000])) is None
    assert doubt_of_unit(np.zeros(0)) is None

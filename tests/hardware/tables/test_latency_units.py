"""Values that are of another unit."""

import numpy as np
import pytest

from surrogate_nas.hardware.tables.latency_units import doubt_of_unit


def test_units_are_doubted_by_the_median() -> None:
    assert "looks like seconds" in str(doubt_of_unit(np.array([0.01, 0.02, 5]), "dev"))
    assert "looks like microseconds" in str(doubt_of_unit(np.array([1, 6000, 90_000]), "dev_ms"))
    assert doubt_of_unit(np.array([0.01, 2, 9000]), "dev") is None
    assert doubt_of_unit(np.zeros(0), "dev") is None


@pytest.mark.parametrize(
    ("column", "doubt"),
    [
        (
            "dev_us",
            "its name says microseconds rather than milliseconds; set hardware.latency_unit to us if so, to ms if not",
        ),
        (
            "dev_s",
            "its name says seconds rather than milliseconds; set hardware.latency_unit to s if so, to ms if not",
        ),
        (
            "dev_ns",
            "its name says nanoseconds rather than milliseconds; convert it if so, or set hardware.latency_unit to ms"
            " if not",
        ),
    ],
)
def test_units_are_doubted_by_the_name(column: str, doubt: str) -> None:
    assert doubt_of_unit(np.array([1.0, 2, 3]), column) == doubt

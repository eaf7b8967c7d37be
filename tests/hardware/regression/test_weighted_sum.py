"""Sums are the same wherever the numbers lie."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from surrogate_nas.hardware.regression.weighted_sum import weighted_sum


@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 100))
@settings(max_examples=20, deadline=None)
def test_weighted_sums_are_those_of_a_product_wherever_the_numbers_lie(rows: int, columns: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, weights = rng.uniform(size=(rows, columns)), rng.uniform(size=columns)
    total = weighted_sum(values, weights)
    np.testing.assert_allclose(total, values @ weights)
    moved = np.zeros(values.size + 1)[1:].reshape(values.shape)
    moved[:] = values
    np.testing.assert_array_equal(weighted_sum(moved, weights), total)
    np.testing.assert_array_equal([weighted_sum(row[None], weights)[0] for row in values], total)

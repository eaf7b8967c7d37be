"""The cosine's ends, middle and shape."""

import numpy as np
import pytest

from surrogate_nas.supernet.schedules import Cosine


def test_begins_at_the_first_rate_and_would_reach_the_last_after_the_last_step() -> None:
    cosine = Cosine(0.1, 0.001, 50)
    assert cosine.rate(0, []) == 0.1
    assert cosine.rate(25, []) == pytest.approx((0.1 + 0.001) / 2)
    assert cosine.rate(50, []) == 0.001


def test_falls_all_the_way_and_never_to_nothing() -> None:
    rates = np.array([Cosine(0.1, 0.0, 1000).rate(step, []) for step in range(1000)])
    assert (np.diff(rates) < 0).all()
    assert rates[-1] > 0


def test_is_the_formula_of_sgdr() -> None:
    # Loshchilov and Hutter, arXiv 1608.03983, equation 5
    rates = [Cosine(0.3, 0.1, 7).rate(step, []) for step in range(8)]
    assert np.allclose(rates, 0.1 + 0.5 * 0.2 * (1 + np.cos(np.arange(8) / 7 * np.pi)), rtol=1e-15)


def test_ignores_the_subnet() -> None:
    assert Cosine(0.1, 0.0, 9).rate(4, [0, 1]) == Cosine(0.1, 0.0, 9).rate(4, [3, 3])

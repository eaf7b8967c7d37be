"""Ends of a sum over decisions, against a listing."""

import numpy as np

from surrogate_nas.space.extremes import smallest
from surrogate_nas.space.load import load_space


def test_the_smallest_of_a_sum_is_found_from_anywhere() -> None:
    space = load_space("nasbench201")
    weights = np.random.default_rng(0).normal(size=(space.num_decisions, 5))

    def total(codes: np.ndarray) -> np.ndarray:
        return np.asarray(weights[np.arange(space.num_decisions), codes].sum(axis=1))

    everything = space.all_codes()
    for start in (everything[:1], everything[-1:]):
        np.testing.assert_array_equal(smallest(space, total, start), everything[np.argmin(total(everything))])


def test_what_is_not_wanted_is_not_found() -> None:
    space = load_space("nasbench201")

    def cost(codes: np.ndarray) -> np.ndarray:
        return np.where(space.is_connected(codes), space.parameters(codes, space.network), np.inf)

    found = smallest(space, cost, space.all_codes())
    connected = space.all_codes()[space.is_connected(space.all_codes())]
    assert space.is_connected(found[None])[0]
    assert cost(found[None])[0] == cost(connected).min()

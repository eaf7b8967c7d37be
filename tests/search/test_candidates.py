"""Feasibility, excess, rows and classes of candidates."""

import numpy as np

from surrogate_nas.search.candidates import Candidates, class_keys, class_numbers, concatenate
from surrogate_nas.space.space import Space


def sample() -> Candidates:
    return Candidates(
        codes=np.array([[0], [1], [2]], dtype=np.int8),
        mean=np.array([1.0, 2.0, 3.0]),
        std=np.zeros(3),
        costs={"latency_ms": np.array([4.0, 5.0, 6.0])},
        violation=np.array([[-0.5, 0.0, -1.0], [0.25, -1.0, -1.0], [0.5, 0.25, -1.0]]),
        primary="latency_ms",
    )


def test_feasible_means_every_violation_at_most_zero() -> None:
    assert sample().feasible.tolist() == [True, False, False]
    assert sample().excess.tolist() == [0.0, 0.25, 0.75]


def test_without_budgets_all_that_are_connected_are_feasible() -> None:
    connectivity = np.array([[-1.0], [1.0], [-1.0]])
    candidates = Candidates(
        np.zeros((3, 1), np.int8), np.zeros(3), np.zeros(3), {"params": np.ones(3)}, connectivity, "params"
    )
    assert candidates.feasible.tolist() == candidates.connected.tolist() == [True, False, True]
    assert candidates.excess.tolist() == [0, 1, 0]


def test_a_budget_that_is_met_does_not_connect_input_and_output() -> None:
    cheap = sample()
    cheap.violation[0, -1] = 1
    assert cheap.connected.tolist() == [False, True, True]
    assert not cheap.feasible.any()


def test_taking_rows_and_joining_them_restores_the_candidates() -> None:
    whole = sample()
    joined = concatenate([whole.take(np.array([0])), whole.take(np.array([1, 2]))])
    assert np.array_equal(joined.codes, whole.codes)
    assert np.array_equal(joined.violation, whole.violation)
    assert joined.primary_cost.tolist() == [4.0, 5.0, 6.0]


def test_isomorphic_codes_share_a_class(space: Space) -> None:
    # One 3x3 convolution from input to output, with and without dead edges.
    codes = space.check([[0, 0, 0, 3, 0, 0], [0, 0, 0, 3, 2, 0], [3, 0, 0, 0, 0, 0]])
    numbers = class_numbers(space, codes)
    keys = class_keys(space, codes)
    assert numbers[0] == numbers[1] != numbers[2]
    assert keys[0] == keys[1] != keys[2]

"""The front against the definition, pair by pair."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from surrogate_nas.costs.pareto import hypervolume, pareto_mask, sorted_front
from surrogate_nas.errors import SettingsError


def front_by_definition(score: NDArray[np.float64], costs: NDArray[np.float64]) -> list[bool]:
    goods = np.column_stack([score, -costs])
    return [not any(bool((other >= own).all() and (other > own).any()) for other in goods) for own in goods]


# Few distinct values, so that ties are the rule.
VALUES = st.sampled_from([-np.inf, -1.5, 0.0, 1.0, 2.0, 3.0, np.inf])


@given(st.integers(1, 4).flatmap(lambda costs: st.lists(st.tuples(*[VALUES] * (1 + costs)), min_size=1, max_size=40)))
def test_agrees_with_the_definition(rows: list[tuple[float, ...]]) -> None:
    table = np.array(rows)
    assert pareto_mask(table[:, 0], table[:, 1:]).tolist() == front_by_definition(table[:, 0], table[:, 1:])


@pytest.mark.parametrize("num_costs", [1, 2, 3])
def test_agrees_with_the_definition_on_random_rows(num_costs: int) -> None:
    rng = np.random.default_rng(num_costs)
    score, costs = rng.normal(size=400), rng.normal(size=(400, num_costs)).round(1)
    assert pareto_mask(score, costs).tolist() == front_by_definition(score, costs)


@given(st.lists(st.tuples(VALUES, VALUES), max_size=40))
def test_the_front_of_sorted_rows(rows: list[tuple[float, float]]) -> None:
    table = np.array(sorted(rows, key=lambda row: -row[0])).reshape(-1, 2)
    expected = np.flatnonzero(front_by_definition(table[:, 0], table[:, 1:]))
    assert sorted_front(table[:, 0], table[:, 1]).tolist() == expected.tolist()


def test_equal_rows_stay_or_go_together() -> None:
    score, cost = [3.0, 3.0, 2.0, 2.0, 1.0], [[5.0], [5.0], [5.0], [4.0], [4.0]]
    assert pareto_mask(score, cost).tolist() == [True, True, False, True, False]
    assert pareto_mask(score, np.hstack([cost, cost])).tolist() == [True, True, False, True, False]


def test_a_front_of_everything_and_of_nothing() -> None:
    ladder = np.arange(50.0)
    assert pareto_mask(ladder, ladder[:, None]).all()
    assert pareto_mask(ladder, np.column_stack([ladder, ladder])).all()
    assert pareto_mask(np.zeros(0), np.zeros((0, 1))).shape == (0,)
    assert pareto_mask(np.zeros(0), np.zeros((0, 2))).shape == (0,)


@pytest.mark.parametrize(
    ("score", "costs", "message"),
    [
        (np.zeros(3), np.zeros(3), "(got shapes (3,) and (3,))"),
        (np.zeros(3), np.zeros((2, 1)), "(got shapes (3,) and (2, 1))"),
        (np.zeros(3), np.zeros((3, 0)), "(got shapes (3,) and (3, 0))"),
        (np.array([np.nan]), np.zeros((1, 1)), "got NaN"),
        (np.zeros(1), np.array([[np.nan]]), "got NaN"),
    ],
)
def test_what_is_refused(score: NDArray[np.float64], costs: NDArray[np.float64], message: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(message)):
        pareto_mask(score, costs)


def counted(score: np.ndarray, costs: np.ndarray, worst_score: float, worst: np.ndarray) -> float:
    """Returns unit cubes that some row dominates."""
    total = 0
    for point in np.ndindex(*([10] * (1 + len(worst)))):
        level = worst_score + point[0] + 1
        limit = worst - np.array(point[1:]) - 1
        total += bool(((score >= level) & (costs <= limit).all(axis=1)).any())
    return float(total)


@pytest.mark.parametrize("count", [1, 2])
def test_hypervolume_counts_unit_cubes(count: int) -> None:
    rng = np.random.default_rng(count)
    for _ in range(20):
        rows = int(rng.integers(0, 8))
        score, costs = rng.integers(-2, 11, rows).astype(float), rng.integers(0, 13, (rows, count)).astype(float)
        worst = np.full(count, 10.0)
        assert hypervolume(score, costs, 0.0, worst) == counted(score, costs, 0.0, worst)


def test_hypervolume_by_hand() -> None:
    assert hypervolume([3.0, 1.0], [[2.0], [1.0]], 0.0, [4.0]) == 3 * 2 + 1 * 1
    with pytest.raises(SettingsError, match="one or two costs"):
        hypervolume([1.0], [[1.0, 1.0, 1.0]], 0.0, [2.0, 2.0, 2.0])

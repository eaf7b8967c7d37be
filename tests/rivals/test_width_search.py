"""The largest width within a bound is found exactly, and within few evaluations nearly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surrogate_nas.rivals.rival import WIDTHS
from surrogate_nas.rivals.width_search import WidthSearch


def searched(search: WidthSearch, costs: list[float], most: int = 100) -> tuple[int | None, int]:
    """Returns the position that was found, and the number of evaluations."""
    for number in range(most):
        index = search.next(is_last=number == most - 1)
        if index is None:
            return search.best, number
        search.tell(index, costs[index])
    return search.best, most


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=30), st.floats(1e-3, 1e3), st.floats(0.1, 10))
def test_it_finds_the_largest_width_that_keeps_the_bound(costs: list[float], limit: float, first: float) -> None:
    costs = sorted(costs)
    search = WidthSearch([1.0 + index for index in range(len(costs))], limit, first)
    within = [index for index, cost in enumerate(costs) if cost <= limit]
    assert searched(search, costs)[0] == max(within, default=None)


@pytest.mark.parametrize("fixed", [0.0, 0.2, 0.5])
@pytest.mark.parametrize("share", [0.3, 0.9, 1.0, 3.0])
def test_five_evaluations_come_near_where_costs_have_a_fixed_part(fixed: float, share: float) -> None:
    costs = [fixed + (1 - fixed) * width**2 for width in WIDTHS]
    limit = fixed + (1 - fixed) * share
    found, _ = searched(WidthSearch(WIDTHS, limit, 1.5 * share**0.5), costs, 5)
    assert found is not None
    assert costs[found] <= limit
    assert WIDTHS[found] >= 0.75 * share**0.5


def test_the_last_evaluation_is_of_the_smallest_where_nothing_fits_yet() -> None:
    search = WidthSearch(WIDTHS, 1.0, 2.0)
    index = search.next()
    assert index is not None
    search.tell(index, 50.0)
    assert search.next(is_last=True) == 0

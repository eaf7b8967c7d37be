"""The least rows against a full sort; the error is tested with the table that raises it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from surrogate_nas.costs.budget import Budget
from surrogate_nas.lookup.misses import infeasible_error, least_rows


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.integers(1, 40))
def test_least_rows_begin_a_stable_sort(values: list[int], some: int) -> None:
    excess = np.array(values, dtype=np.float64)
    rows = least_rows(excess, some)
    assert len(rows) >= min(some, len(values))
    assert rows.tolist() == np.argsort(excess, kind="stable")[: len(rows)].tolist()


def test_several_budgets_are_named() -> None:
    error = infeasible_error([Budget("latency_ms", 3.5), Budget("params", 9)], [1.0, 10.0], [])
    assert "latency at most 3.5 ms and parameters at most 9" in str(error)
    assert "latency 1 ms, parameters 10" in str(error)

"""Exploring a space too large to enumerate."""

import numpy as np
import pytest

from surrogate_nas.costs.budget import Budget
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.samplers import local_search as climb
from surrogate_nas.search.widen import explore
from surrogate_nas.space.pool import drawn_pool


def test_what_is_found_beats_the_draws_under_every_bound(large: Evaluator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(climb, "GENERATIONS", 6)
    pool = drawn_pool(large.space, 2000, np.random.default_rng(0))
    asked = [[Budget("latency_ms", 8.0)], [Budget("latency_ms", 12.0), Budget("params", 1e6)], []]
    steps: list[tuple[int, int]] = []
    found = explore(
        pool,
        large._predictor,
        large._costs,
        asked,
        np.random.default_rng(1),
        kept=30,
        progress=lambda done, total: steps.append((done, total)),
    )
    assert steps == [(1, 3), (2, 3), (3, 3)]
    assert len(found) < 3 * 300
    for budgets in asked:
        evaluator = Evaluator(large.space, large._predictor, large._costs, budgets)
        drawn, sought = evaluator.evaluate(pool.codes), evaluator.evaluate(found)
        assert sought.mean[sought.feasible].max() > drawn.mean[drawn.feasible].max()
    again = explore(pool, large._predictor, large._costs, asked, np.random.default_rng(1), kept=30)
    np.testing.assert_array_equal(found, again)

"""Which architectures a study lists."""

import numpy as np

from surrogate_nas.costs.budgets import Budget
from surrogate_nas.hardware.counted.analytic import AnalyticCosts
from surrogate_nas.runs.settings import PoolSettings
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.pool import Pool
from surrogate_nas.study.stages.initial_pool import ends_of, first_pool

NB201 = load_space("nasbench201")
assert isinstance(NB201, CellSpace)
EDGES = [(start, end) for end in range(1, 5) for start in range(end)]
LARGE = CellSpace("five_nodes", "0" * 16, EDGES, NB201.operations, NB201.network)


def test_a_space_that_can_be_listed_is_listed() -> None:
    assert first_pool(NB201, PoolSettings(draws=100), seed=0).complete


def test_another_is_drawn_from_by_the_seed() -> None:
    first, again, other = (first_pool(LARGE, PoolSettings(draws=150), seed) for seed in (0, 0, 1))
    assert len(first) == 150
    np.testing.assert_array_equal(first.codes, again.codes)
    assert not np.array_equal(first.codes, other.codes)


def test_ends_are_those_of_the_space_and_budgets_that_draws_miss_are_met() -> None:
    pool, costs = first_pool(LARGE, PoolSettings(draws=150), seed=0), AnalyticCosts(LARGE, LARGE.network)
    dear = pool.codes[costs.evaluate(pool.codes)["flops"] > 5e7]
    pool = Pool(LARGE, dear, complete=False, uniform=len(dear))
    few = LARGE.parse("|skip_connect~0|+|none~0|none~1|+|none~0|none~1|none~2|+|skip_connect~0|none~1|none~2|none~3|")
    limit = float(costs.evaluate(few[None])["flops"][0])
    assert limit < 5e7
    ends = ends_of(pool, costs, [[Budget("flops", limit), Budget("params", 1e9)]])
    found = costs.evaluate(ends)
    assert found["flops"].min() == limit
    assert LARGE.is_connected(ends).all()
    conv = costs.evaluate(np.full((1, 10), NB201.decisions[0].choices.index("nor_conv_3x3")))
    assert found["flops"].max() == conv["flops"][0]

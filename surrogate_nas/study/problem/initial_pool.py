"""The architectures that a study lists: its whole space, or draws from it and what budgets make worth knowing."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.costs.budgets import Budget
from surrogate_nas.runs.settings import PoolSettings
from surrogate_nas.search.protocol import CostModel
from surrogate_nas.space.extremes import smallest
from surrogate_nas.space.pool import Pool, drawn_pool, whole_pool
from surrogate_nas.space.space import Codes, Space

_STREAM = 2  # of the random draws of a study's seed


def first_pool(space: Space, settings: PoolSettings, seed: int) -> Pool:
    """Every architecture of a space that can be listed, uniform draws from another."""
    if space.listable:
        return whole_pool(space)
    return drawn_pool(space, settings.draws, np.random.default_rng([seed, _STREAM]))


def ends_of(pool: Pool, costs: CostModel, asked: Sequence[Sequence[Budget]]) -> Codes:
    """Architectures of the smallest and the largest value of each cost, and nearest to each set of budgets, (M, D).

    Uniform draws do not reach the ends of a large space, and a budget near one of them must not look impossible.

    Args:
        pool: Architectures to begin with.
        costs: Costs of any architecture of the space.
        asked: Sets of budgets, each to be kept together.
    """

    def excess(budgets: Sequence[Budget]) -> Measure:
        return lambda found: sum(
            (np.maximum(budget.violation(found[budget.cost]), 0) for budget in budgets), start=np.zeros(1)
        )

    measures: list[Measure] = [excess(budgets) for budgets in asked]
    for cost in costs.names:
        measures += [lambda found, cost=cost: found[cost], lambda found, cost=cost: -found[cost]]  # type: ignore[misc]
    return np.stack([_end(pool, costs, measure) for measure in measures])


# Costs by name, shape (N,) each, to what is made small, shape (N,).
Measure = Callable[[Mapping[str, NDArray[np.float64]]], NDArray[np.float64]]


def _end(pool: Pool, costs: CostModel, measure: Measure) -> Codes:
    space = pool.space

    def connected(codes: Codes) -> NDArray[np.float64]:
        return np.where(space.is_connected(codes), measure(costs.evaluate(codes)), np.inf)

    return smallest(space, connected, pool.codes)

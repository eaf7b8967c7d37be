"""The architectures that a study lists and labels: its whole space, or draws from it and the ends of its costs."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.costs.budget import Budget, total_excess
from surrogate_nas.costs.protocol import CostModel
from surrogate_nas.errors import SettingsError
from surrogate_nas.predictor.training_set import MINIMUM_CLASSES
from surrogate_nas.runs.settings import PoolSettings, StudySettings
from surrogate_nas.space.extremes import smallest
from surrogate_nas.space.pool import Draws, Pool, draw, drawn_pool, in_turns, whole_pool
from surrogate_nas.space.space import Codes, Space

_PART = 1000  # draws
_DRAWS_OF_EACH = 20  # of architectures that may repeat, and of which rare counts are wanted
_LABEL_STREAM, _POOL_STREAM = 1, 2  # of the random draws of a study's seed
# Costs by name, shape (N,) each, to what is made small, shape (N,).
Measure = Callable[[Mapping[str, NDArray[np.float64]]], NDArray[np.float64]]


def first_pool(space: Space, settings: PoolSettings, seed: int) -> Pool:
    """Returns every architecture of a space, or uniform draws if it is too large to enumerate."""
    if space.listable:
        return whole_pool(space)
    return drawn_pool(space, settings.draws, np.random.default_rng([seed, _POOL_STREAM]))


def typical_rows(pool: Pool) -> NDArray[np.bool_]:
    """Returns which architectures of the pool are connected and stand for the whole space, shape (N,).

    A network of elastic depth is one of them, whatever the number of its codes.
    """
    drawn = np.arange(len(pool)) < pool.uniform
    return np.asarray(pool.space.is_connected(pool.codes) & pool.space.is_drawn(pool.codes) & drawn)


def draw_architectures(space: Space, connected: Codes, settings: StudySettings) -> Codes:
    """Returns the architectures to label, drawn without repeats, shape (M, D).

    Args:
        space: The search space.
        connected: The architectures that compute something, each once, shape (N, D).
        settings: Number and seed; with one seed, fewer architectures are the first of more, but for balanced draws,
            where a few of rare counts may differ.

    Raises:
        SettingsError: If the predictor could not learn from them, which would show after the training only.
    """
    draws, count = settings.labels.draws, settings.labels.count
    rng = np.random.default_rng([settings.seed, _LABEL_STREAM])
    if draws == "varied" or (draws == "balanced" and not space.listable):
        connected = _different_draws(space, _DRAWS_OF_EACH * count, draws, rng)
    else:
        connected = connected[rng.permutation(len(connected))]
    drawn = in_turns(space, connected, draws)[:count]
    classes = len(np.unique(space.canonical_keys(drawn)))
    if classes < MINIMUM_CLASSES:
        raise SettingsError(
            f"labels.count must give at least {MINIMUM_CLASSES} architectures that differ, for the predictor to learn"
            f" from (got {settings.labels.count} with {classes}); set a larger one"
        )
    return drawn


def _different_draws(space: Space, size: int, draws: Draws, rng: np.random.Generator) -> Codes:
    """Returns different architectures of about ``size`` draws, shape (M, D); fewer are the first of more."""
    # In parts of one size: what a generator gives at first depends on how much is asked for at once.
    parts = [draw(space, _PART, draws, rng) for _ in range(-(-size // _PART))]
    codes = np.concatenate(parts)
    _, first = np.unique(codes, axis=0, return_index=True)
    return codes[np.sort(first)]


def ends_of(pool: Pool, costs: CostModel, asked: Sequence[Sequence[Budget]]) -> Codes:
    """Returns architectures of smallest and largest value of each cost, and nearest to each set of budgets, (M, D).

    Uniform draws do not reach the ends of a large space, and a budget near one of them must not look impossible.

    Args:
        pool: Architectures to begin with.
        costs: Costs of any architecture of the space.
        asked: Sets of budgets, each to be kept together.
    """

    def excess(budgets: Sequence[Budget]) -> Measure:
        return lambda found: total_excess(budgets, found)

    measures: list[Measure] = [excess(budgets) for budgets in asked]
    for cost in costs.names:
        measures += [lambda found, cost=cost: found[cost], lambda found, cost=cost: -found[cost]]  # type: ignore[misc]
    return np.stack([_end(pool, costs, measure) for measure in measures])


def _end(pool: Pool, costs: CostModel, measure: Measure) -> Codes:
    space = pool.space

    def connected(codes: Codes) -> NDArray[np.float64]:
        return np.where(space.is_connected(codes), measure(costs.evaluate(codes)), np.inf)

    return smallest(space, connected, pool.codes)

"""Finds the best architectures by a predictor in a space too large to enumerate: under given budgets, and on the front.

Evolution and local search (``climb``) run once for each set of bounds, each from the best that earlier runs have found.
The results are added to the uniform draws of a pool, so that all later stages, the lookup table included, can work on
rows, and budgets other than the study's find good architectures as well.
"""

from collections.abc import Callable, Sequence

import numpy as np

from surrogate_nas.costs.budget import Budget
from surrogate_nas.costs.pareto import pareto_mask
from surrogate_nas.costs.protocol import CostModel
from surrogate_nas.search.candidates import Candidates, class_numbers
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.protocol import Predictor
from surrogate_nas.search.samplers.local_search import climb
from surrogate_nas.space.pool import Pool
from surrogate_nas.space.space import Codes

_STARTS = 50
# Architectures evaluated for each that is kept, since several may compute the same.
_ALIKE = 3


def explore(
    pool: Pool,
    predictor: Predictor,
    costs: CostModel,
    asked: Sequence[Sequence[Budget]],
    rng: np.random.Generator,
    *,
    kept: int,
    progress: Callable[[int, int], None] | None = None,
) -> Codes:
    """Returns architectures worth adding to a pool, shape (K, D).

    Args:
        pool: Architectures to begin with.
        predictor: The fitted predictor.
        costs: Costs of any architecture of the space.
        asked: Sets of bounds; one search runs under each.
        rng: Source of randomness.
        kept: Most architectures kept of each search, the best first; a front of accuracy and cost is added to them.
        progress: Called with searches done and to do; may raise to stop.
    """
    found = [pool.codes[:0]]
    for done, budgets in enumerate(asked):
        evaluator = Evaluator(pool.space, predictor, costs, budgets)
        known = evaluator.evaluate(np.concatenate([pool.codes, *found]))
        looked = climb(evaluator, lambda some: some.mean, known.codes[_ordered(known)[:_STARTS]], rng)
        on_front = np.flatnonzero(looked.feasible)
        on_front = on_front[pareto_mask(looked.mean[on_front], looked.traded[on_front])] if len(on_front) else on_front
        rows = np.concatenate([_ordered(looked)[: _ALIKE * kept], on_front])
        _, first = np.unique(class_numbers(pool.space, looked.codes[rows]), return_index=True)
        different = rows[np.sort(first)]
        found.append(looked.codes[np.union1d(different[:kept], np.intersect1d(different, on_front))])
        if progress is not None:
            progress(done + 1, len(asked))
    return np.concatenate(found)


def _ordered(known: Candidates) -> np.ndarray:
    """Returns connected rows, the best feasible first, then the nearest to the budgets."""
    rows = np.lexsort((known.primary_cost, -known.mean, known.excess))
    return rows[known.connected[rows]]

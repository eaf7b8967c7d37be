"""What a predictor thinks best of a space that cannot be listed: under the budgets asked for, and along the front.

Evolution and local search (``climb``) run once for each set of bounds, each from the best that those before have found.
What comes out is listed beside the uniform draws of a pool, so that all that follows, the lookup table too, can work on
rows, and other budgets than the study's own find good architectures as well.
"""

from collections.abc import Callable, Sequence

import numpy as np

from surrogate_nas.budgets import Budget
from surrogate_nas.search.candidates import Candidates, class_numbers
from surrogate_nas.search.climb import climb
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.protocol import CostModel, Scorer
from surrogate_nas.search.selection import best_first, front, nearest_first, representatives
from surrogate_nas.space.pool import Pool
from surrogate_nas.space.space import Codes

_STARTS = 50


def explore(
    pool: Pool,
    scorer: Scorer,
    costs: CostModel,
    asked: Sequence[Sequence[Budget]],
    rng: np.random.Generator,
    *,
    kept: int,
    progress: Callable[[int, int], None] | None = None,
) -> Codes:
    """Architectures worth listing beside those of a pool, shape (K, D).

    Args:
        pool: Architectures to begin with.
        scorer: The fitted predictor.
        costs: Costs of any architecture of the space.
        asked: Sets of bounds; one search is made under each.
        rng: Source of randomness.
        kept: Most architectures kept of each search, the best first; those on a front of accuracy and cost come on top.
        progress: Called with searches done and to do; may raise to stop.
    """
    found = [pool.codes[:0]]
    for done, budgets in enumerate(asked):
        evaluator = Evaluator(pool.space, scorer, costs, budgets)
        known = evaluator.evaluate(np.concatenate([pool.codes, *found]))
        start = known.codes[_ordered(evaluator, known)[:_STARTS]]
        looked = climb(evaluator, lambda some: some.mean, start, rng)
        on_front = front(looked, class_numbers(pool.space, looked.codes))
        found.append(looked.codes[np.union1d(_ordered(evaluator, looked)[:kept], on_front)])
        if progress is not None:
            progress(done + 1, len(asked))
    return np.concatenate(found)


def _ordered(evaluator: Evaluator, known: Candidates) -> np.ndarray:
    """One row per connected class, the best feasible first, then what comes nearest to the budgets."""
    rows = representatives(known, class_numbers(evaluator.space, known.codes))
    rows = rows[known.connected[rows]]
    feasible = known.feasible[rows]
    return np.concatenate([best_first(known, rows[feasible]), nearest_first(known, rows[~feasible])])

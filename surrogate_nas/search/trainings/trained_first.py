"""Keeps the expectation of what was not trained below the best of what was.

The best of many thousand expectations is above all the luckiest one. On the space ``images32`` an untrained network was
expected 3 percentage points above the best trained one, and was 13 points below it (benchmarks/results/rivals.md).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.search.candidates import Floats

_BEHIND = 0.1  # percentage points below the best trained one, in which all larger expectations lie


def trained_first(mean: Floats, trained: Sequence[int], answers: NDArray[np.bool_]) -> Floats:
    """Returns expectations in which no untrained candidate is above the best trained one that keeps the same budgets.

    Larger expectations keep their order, just below the trained one's. Candidates that keep no budget stay as they are,
    and so do the candidates of a budget that no trained one keeps: nothing is known about their like.

    Args:
        mean: Expected accuracies in percent, shape (N,).
        trained: Rows of candidates that were trained.
        answers: True for candidates that keep each set of budgets, shape (B, N).
    """
    limit = np.full(len(mean), np.inf)
    rows = np.asarray(trained, dtype=np.int64)
    for allowed in answers:
        known = rows[allowed[rows]]
        if len(known):
            limit[allowed] = np.minimum(limit[allowed], mean[known].max())
    limit[rows] = np.inf
    above = mean > limit - _BEHIND
    excess = mean[above] - limit[above] + _BEHIND
    believed = mean.copy()
    believed[above] = limit[above] - _BEHIND**2 / (excess + _BEHIND)
    return believed

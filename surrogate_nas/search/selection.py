"""Chooses among evaluated architectures: pure functions from candidates to row numbers.

Isomorphic architectures compute the same, so a class counts once. Its members may still differ in cost (a latency table
has a row for each code) and, with scorers that do not work on canonical codes, in score. Either all
members have a path from input to output or none has.
"""

import numpy as np

from surrogate_nas.costs.pareto import pareto_mask
from surrogate_nas.search.candidates import Candidates, Floats, Rows

# Scores of one class that differ by less than this share of the scores' range differ by rounding.
SCORE_TOLERANCE = 1e-6


def steady_scores(mean: Floats, classes: Rows) -> Floats:
    """Returns scores without the rounding differences inside a class, shape (N,).

    Members within ``SCORE_TOLERANCE`` of their class's best score get that score, so that ties go to the cheaper one.
    """
    if not len(mean):
        return mean
    _, group = np.unique(classes, return_inverse=True)
    best = np.full(int(group.max()) + 1, -np.inf)
    np.maximum.at(best, group, mean)
    class_best = best[group]
    return np.where(class_best - mean <= SCORE_TOLERANCE * np.ptp(mean), class_best, mean)


def representatives(candidates: Candidates, classes: Rows) -> Rows:
    """Returns one row per class: a feasible one if possible, then the best score, then the cheapest, then the first.

    Args:
        candidates: N candidates.
        classes: Class of each, shape (N,).

    Returns:
        Row numbers, ascending by class.
    """
    steady = steady_scores(candidates.mean, classes)
    order = np.lexsort((candidates.primary_cost, -steady, candidates.excess, classes))
    ordered = classes[order]
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = ordered[1:] != ordered[:-1]
    return order[first].astype(np.int64)


def best_first(candidates: Candidates, rows: Rows) -> Rows:
    """Returns rows from the highest predicted accuracy down; ties go to the cheaper, then to the earlier row."""
    return rows[np.lexsort((rows, candidates.primary_cost[rows], -candidates.mean[rows]))]


def nearest_first(candidates: Candidates, rows: Rows) -> Rows:
    """Returns rows from the smallest excess over the budgets up; ties go to the higher predicted accuracy.

    Pass only connected rows: the excess of others does not measure a distance to the budgets.
    """
    return rows[np.lexsort((rows, -candidates.mean[rows], candidates.excess[rows]))]


def front(candidates: Candidates, classes: Rows) -> Rows:
    """Returns feasible, hence connected, rows that no feasible row beats in accuracy and traded costs, best first.

    Of rows of one class with equal accuracy and cost, the first is kept.
    """
    rows = np.flatnonzero(candidates.feasible)
    if not len(rows):
        return rows.astype(np.int64)
    steady = steady_scores(candidates.mean, classes)
    kept = rows[pareto_mask(steady[rows], candidates.traded[rows])]
    points = np.column_stack([classes[kept], steady[kept], candidates.traded[kept]])
    _, first = np.unique(points, axis=0, return_index=True)
    return best_first(candidates, kept[first].astype(np.int64))

"""Pareto fronts of one score, the higher the better, and any number of costs, the lower the better.

Symbols:
    N: architectures.
    K: costs.

A row dominates another if it is at least as good in the score and in every cost and better in one of them. Equal rows
do not dominate each other, so all of them are on the front or none is.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.errors import SettingsError


def pareto_mask(score: ArrayLike, costs: ArrayLike) -> NDArray[np.bool_]:
    """Returns the rows that no other row dominates.

    Args:
        score: Shape (N,).
        costs: Shape (N, K), K at least 1.

    Returns:
        Shape (N,). With one cost in O(N log N); with more in O(N F) for a front of F rows.

    Raises:
        SettingsError: If the shapes do not fit or a value is not a number.

    Example:
        >>> from surrogate_nas import pareto_mask
        >>> pareto_mask([90, 80, 85], [[3.0], [1.0], [4.0]]).tolist()
        [True, True, False]
    """
    scores, prices = np.asarray(score, dtype=np.float64), np.asarray(costs, dtype=np.float64)
    if scores.ndim != 1 or prices.ndim != 2 or len(prices) != len(scores) or prices.shape[1] == 0:
        raise SettingsError(
            f"a Pareto front needs scores of shape (N,) and costs of shape (N, K) "
            f"(got shapes {scores.shape} and {prices.shape})"
        )
    if np.isnan(scores).any() or np.isnan(prices).any():
        raise SettingsError("a Pareto front needs numbers (got NaN among scores or costs)")
    return _front_of_one_cost(scores, prices[:, 0]) if prices.shape[1] == 1 else _front(scores, prices)


def sorted_front(score: NDArray[np.float64], cost: NDArray[np.float64]) -> NDArray[np.int64]:
    """Positions of the rows that no other row dominates, where rows are sorted by score, the best first.

    Args:
        score: Shape (N,), never rising, without NaN.
        cost: Shape (N,), in any order, without NaN.

    Returns:
        Rising positions, in O(N) and a sort of the front: what costs more than a row before it is dominated by that
        one, and what is dominated at all is so by a row of the front, so nothing else needs to be compared.
    """
    kept = np.flatnonzero(cost <= np.minimum.accumulate(cost))
    return kept[pareto_mask(score[kept], cost[kept, None])]


def _front_of_one_cost(score: NDArray[np.float64], cost: NDArray[np.float64]) -> NDArray[np.bool_]:
    mask = np.zeros(len(score), dtype=bool)
    if not len(score):
        return mask
    order = np.lexsort((-score, cost))  # cheapest first, the best of equally cheap ones before the others
    score, cost = score[order], cost[order]
    group = np.concatenate([[0], np.cumsum(cost[1:] != cost[:-1])])
    best_of_group = score[np.unique(group, return_index=True)[1]]
    best_of_cheaper = np.concatenate([[-np.inf], np.maximum.accumulate(best_of_group)[:-1]])
    # The cheapest group has nothing before it, not even where its scores are minus infinity.
    mask[order] = (score == best_of_group[group]) & ((score > best_of_cheaper[group]) | (group == 0))
    return mask


def _front(score: NDArray[np.float64], costs: NDArray[np.float64]) -> NDArray[np.bool_]:
    # Equal rows are folded into one, so that "not better anywhere" means dominated.
    points, inverse = np.unique(np.column_stack([-score, costs]), axis=0, return_inverse=True)
    # Ranks summed over objectives put strong rows first; each of them removes many at once.
    ranks = np.argsort(np.argsort(points, axis=0, kind="stable"), axis=0, kind="stable").sum(axis=1)
    rows = np.argsort(ranks, kind="stable")
    remaining = np.ascontiguousarray(points[rows].T)
    at = 0
    while at < len(rows):
        kept = np.logical_or.reduce(remaining < remaining[:, at : at + 1], axis=0)
        kept[at] = True
        if not kept.all():
            rows, remaining = rows[kept], remaining[:, kept]
        # Rows before this one either dominated nothing of it or were removed by it.
        at = int(kept[:at].sum()) + 1
    on_front = np.zeros(len(points), dtype=bool)
    on_front[rows] = True
    return np.asarray(on_front[inverse.reshape(-1)], dtype=bool)


def hypervolume(score: ArrayLike, costs: ArrayLike, worst_score: float, worst_costs: ArrayLike) -> float:
    """Returns the volume between a reference point and what at least one row dominates, with one or two costs.

    Args:
        score: Shape (N,).
        costs: Shape (N, K), K 1 or 2.
        worst_score: Score of the reference point; rows that are not better add nothing.
        worst_costs: Costs of the reference point, shape (K,).

    Returns:
        Exact, in units of score times costs; O(N^2) with two costs, for fronts rather than spaces.

    Raises:
        SettingsError: If the shapes do not fit, K is larger than 2, or a value is not finite.
    """
    prices, worst = np.asarray(costs, dtype=np.float64), np.asarray(worst_costs, dtype=np.float64)
    mask = pareto_mask(score, prices)
    if prices.shape[1] > 2 or worst.shape != (prices.shape[1],):
        raise SettingsError(
            f"a hypervolume needs one or two costs and one reference cost each (got {prices.shape} and {worst.shape})"
        )
    gain = np.asarray(score, dtype=np.float64)[mask] - worst_score
    room = worst[None, :] - prices[mask]
    if not (np.isfinite(gain).all() and np.isfinite(room).all()):
        raise SettingsError("a hypervolume needs finite scores, costs and reference")
    better = (gain > 0) & (room > 0).all(axis=1)
    gain, room = gain[better], room[better]
    if prices.shape[1] == 1:
        return _area(gain, room[:, 0])
    # Slices between one room in the second cost and the next: a slice has the front of the rows that reach it.
    order = np.argsort(-room[:, 1], kind="stable")
    gain, room = gain[order], room[order]
    depths = room[:, 1] - np.append(room[1:, 1], 0.0)
    return float(sum(depth * _area(gain[: at + 1], room[: at + 1, 0]) for at, depth in enumerate(depths) if depth > 0))


def _area(width: NDArray[np.float64], height: NDArray[np.float64]) -> float:
    """Returns the area of the union of rectangles from the origin."""
    order = np.argsort(-width, kind="stable")
    width, height = width[order], np.maximum.accumulate(height[order])
    return float(np.sum((width - np.append(width[1:], 0.0)) * height))

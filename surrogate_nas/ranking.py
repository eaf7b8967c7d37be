"""Measures how well one score orders architectures by another: Kendall tau, tau at the top, regret, intervals.

Symbols:
    N: architectures.
    score: what a supernet, a predictor or a count says, larger is better.
    truth: what it should say, larger is better, in percent accuracy where regret is taken.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau

Floats = NDArray[np.floating]


def _checked(score: Floats, truth: Floats) -> tuple[Floats, Floats]:
    score, truth = np.asarray(score, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if score.ndim != 1 or score.shape != truth.shape:
        raise ValueError(f"score and truth need one and the same length (got shapes {score.shape} and {truth.shape})")
    if not (np.isfinite(score).all() and np.isfinite(truth).all()):
        raise ValueError("score and truth must be finite")
    return score, truth


def kendall_tau(score: Floats, truth: Floats) -> float:
    """Returns Kendall's tau-b of two vectors of shape (N,); NaN if it is undefined (fewer than 2, or one constant).

    Example:
        >>> from surrogate_nas import kendall_tau
        >>> round(kendall_tau([1, 2, 3, 4], [10, 30, 20, 40]), 2)
        0.67
    """
    score, truth = _checked(score, truth)
    if len(score) < 2 or np.ptp(score) == 0 or np.ptp(truth) == 0:
        return float("nan")
    return float(kendalltau(score, truth).statistic)


def top_tau(score: Floats, truth: Floats, fraction: float = 0.1) -> float:
    """Returns Kendall's tau-b among the best ``fraction`` by truth: it separates very good from good.

    Args:
        score: Shape (N,).
        truth: Shape (N,).
        fraction: In (0, 1]; the threshold is the matching quantile of the truth, ties with it included.

    Example:
        >>> from surrogate_nas import top_tau
        >>> top_tau([1, 2, 4, 3], [10, 20, 30, 40], fraction=0.5)
        -1.0
    """
    score, truth = _checked(score, truth)
    if len(truth) == 0:
        return float("nan")
    best = truth >= np.quantile(truth, 1 - fraction)
    return kendall_tau(score[best], truth[best])


def regret(score: Floats, truth: Floats, best_of: int = 1) -> float:
    """Returns the best truth minus the best among the ``best_of`` highest scores, in the truth's unit (0 is perfect).

    Equal scores at the cut are broken by position, so shuffle first where positions carry meaning.

    Example:
        >>> from surrogate_nas import regret
        >>> regret([1, 2, 4, 3], [10, 20, 30, 40])
        10.0
    """
    score, truth = _checked(score, truth)
    if best_of < 1:
        raise ValueError(f"best_of must be at least 1 (got {best_of})")
    if len(truth) == 0:
        return float("nan")
    picked = np.argsort(-score, kind="stable")[:best_of]
    return float(truth.max() - truth[picked].max())


def bootstrap_values(
    statistic: Callable[[NDArray[np.int64]], float],
    count: int,
    seed: int,
    *,
    resamples: int = 200,
    groups: NDArray[np.integer] | None = None,
) -> NDArray[np.float64]:
    """Returns a statistic of resampled architectures.

    Args:
        statistic: Takes positions (with repeats) and gives a number; NaN results are left out.
        count: Number of architectures N.
        seed: Seed of the resampling.
        resamples: Number of resamples.
        groups: Shape (N,); where given, whole groups (such as isomorphic cells) are resampled together.

    Returns:
        One value per resample on which the statistic is defined.
    """
    rng = np.random.default_rng(seed)
    labels = np.arange(count) if groups is None else np.unique(groups, return_inverse=True)[1]
    order = np.argsort(labels, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(labels))[:-1]) if count else []
    values = []
    for _ in range(resamples):
        drawn = [members[i] for i in rng.integers(len(members), size=len(members))] if members else [order]
        values.append(statistic(np.concatenate(drawn)))
    return np.asarray(values, dtype=np.float64)[np.isfinite(values)]


def bootstrap_interval(
    statistic: Callable[[NDArray[np.int64]], float],
    count: int,
    seed: int,
    *,
    level: float = 0.95,
    resamples: int = 200,
    groups: NDArray[np.integer] | None = None,
) -> tuple[float, float]:
    """Returns the percentile bootstrap interval of a statistic; see ``bootstrap_values``.

    Args:
        statistic: Takes positions (with repeats) and gives a number.
        count: Number of architectures N.
        seed: Seed of the resampling.
        level: Coverage of the interval.
        resamples: Number of resamples.
        groups: Shape (N,).

    Returns:
        Lower and upper end; NaN where the statistic is undefined on every resample.
    """
    return percentile_interval(bootstrap_values(statistic, count, seed, resamples=resamples, groups=groups), level)


def percentile_interval(values: Floats, level: float = 0.95) -> tuple[float, float]:
    """Returns the middle ``level`` of values of shape (N,): lower and upper end, NaN where there are none."""
    if len(values) == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)

"""The exact sampler: the predictor scores the whole space at once, and the study gets what is worth looking at.

Up to about 10^6 architectures a scan of the predictor takes seconds and finds its constrained optimum always, where
evolution and TPE find it in part of the runs; so a search over a listable space needs no search algorithm.
"""

from dataclasses import replace

import numpy as np

from surrogate_nas.search.acquisition import acquire
from surrogate_nas.search.candidates import Candidates, Rows
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.selection import best_first, front, nearest_first, representatives
from surrogate_nas.search.settings import SearchSettings
from surrogate_nas.space.space import Codes


class ScanSampler:
    """Proposes the best feasible architectures, the Pareto front, and a modest share of what the budget excludes.

    Architectures without a path from input to output are never proposed: they would tell nothing about a budget.

    The first proposal is the constrained optimum of the predictor. With the goal ``pareto`` the front comes first
    (thinned evenly if it is longer than the study) and the best feasible architectures fill up.

    Args:
        evaluator: Scores and costs of the search.
        settings: Number of trials and their shares.

    Raises:
        SettingsError: If the space is too large to list.
    """

    def __init__(self, evaluator: Evaluator, settings: SearchSettings) -> None:
        whole = _valued(evaluator.whole_space(), settings)
        self._codes = whole.codes[plan(whole, evaluator.whole_classes(), settings)]
        self._proposed = 0

    def propose(self, count: int) -> Codes:
        """The next ``count`` codes of the plan, shape (n, D)."""
        start = self._proposed
        self._proposed = min(start + count, len(self._codes))
        return self._codes[start : self._proposed]

    def observe(self, candidates: Candidates) -> None:
        """Nothing to learn: every score is known from the start."""


def _valued(whole: Candidates, settings: SearchSettings) -> Candidates:
    """The candidates with the acquisition in the place of the prediction; improvement is over the best feasible one."""
    best = float(whole.mean[whole.feasible].max()) if whole.feasible.any() else None
    return replace(whole, mean=acquire(whole.mean, whole.std, settings.acquisition, settings.kappa, best))


def plan(whole: Candidates, classes: Rows, settings: SearchSettings) -> Rows:
    """Rows of the whole space to show as trials, in order, all connected, no two of one class.

    Args:
        whole: Every architecture of the space.
        classes: Canonical class of each, shape (N,).
        settings: Number of trials, goal and shares; what a share cannot fill, the others do.
    """
    chosen = representatives(whole, classes)
    chosen = chosen[whole.connected[chosen]]
    feasible = whole.feasible[chosen]
    best = best_first(whole, chosen[feasible])
    excluded = chosen[~feasible]
    # Where nobody meets the budget, what comes nearest is what a person wants to see.
    excluded = best_first(whole, excluded) if len(best) else nearest_first(whole, excluded)
    room = settings.trials - min(len(excluded), round(settings.trials * settings.infeasible_share))
    frontier = front(whole, classes)
    if settings.goal == "pareto":
        feasible_part = [_spread(frontier, room), best]
    else:
        share = min(len(frontier), round(settings.trials * settings.front_share))
        feasible_part = [best[: room - share], _spread(frontier, share), best]
    shown = _distinct(np.concatenate(feasible_part), classes)[:room]
    return _distinct(np.concatenate([shown, excluded]), classes)[: settings.trials]


def _spread(rows: Rows, count: int) -> Rows:
    """At most ``count`` of the rows, evenly spaced, the first one always among them."""
    if len(rows) <= count:
        return rows
    return rows[np.arange(count) * len(rows) // max(count, 1)]


def _distinct(rows: Rows, classes: Rows) -> Rows:
    """Rows without those whose class came earlier, order kept."""
    _, first = np.unique(classes[rows], return_index=True)
    return rows[np.sort(first)]


def scan(evaluator: Evaluator, settings: SearchSettings, _seed: int) -> ScanSampler:
    """The exact sampler; nothing of it is random."""
    return ScanSampler(evaluator, settings)

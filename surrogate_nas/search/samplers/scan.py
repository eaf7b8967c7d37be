"""Exact sampler: the predictor scores the whole space at once, and the study gets the trials worth a look.

Up to about 10^6 architectures a scan of the predictor takes seconds and always finds its constrained optimum, which
evolution and TPE find in a part of the runs; so a space that can be enumerated needs no search algorithm.
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
    """Proposes the best feasible architectures, the Pareto front, and a small share of infeasible ones.

    Architectures without a path from input to output are never proposed: they show nothing about a budget.

    The first proposal is the constrained optimum of the predictor. With the goal ``pareto`` the front comes first
    (thinned evenly if it is longer than the study) and the best feasible architectures fill up.

    Args:
        evaluator: Scores and costs of the search.
        settings: Number of trials and their shares.

    Raises:
        SettingsError: If the space is too large to enumerate.
    """

    def __init__(self, evaluator: Evaluator, settings: SearchSettings) -> None:
        whole = _valued(evaluator.whole_space(), settings)
        self._codes = whole.codes[plan(whole, evaluator.whole_classes(), settings)]
        self._proposed = 0

    def propose(self, count: int) -> Codes:
        """Returns the next ``count`` codes of the plan, shape (n, D)."""
        start = self._proposed
        self._proposed = min(start + count, len(self._codes))
        return self._codes[start : self._proposed]

    def observe(self, candidates: Candidates) -> None:
        """Ignores results: every score is known from the start."""


def _valued(whole: Candidates, settings: SearchSettings) -> Candidates:
    """Returns the candidates with acquisition in place of prediction; improvement is over the best feasible one."""
    best = float(whole.mean[whole.feasible].max()) if whole.feasible.any() else None
    return replace(whole, mean=acquire(whole.mean, whole.std, settings.acquisition, settings.kappa, best))


def plan(whole: Candidates, classes: Rows, settings: SearchSettings) -> Rows:
    """Returns rows of the whole space to show as trials, in order, all connected, no two of one class.

    Args:
        whole: Every architecture of the space.
        classes: Canonical class of each, shape (N,).
        settings: Number of trials, goal and shares; the others fill the rest of a share that runs out.
    """
    chosen = representatives(whole, classes)
    chosen = chosen[whole.connected[chosen]]
    feasible = whole.feasible[chosen]
    best = best_first(whole, chosen[feasible])
    excluded = chosen[~feasible]
    # Where no architecture meets the budget, the user wants to see the nearest misses.
    excluded = best_first(whole, excluded) if len(best) else nearest_first(whole, excluded)
    room = settings.trials - min(len(excluded), round(settings.trials * settings.infeasible_share))
    frontier = front(whole, classes)
    if settings.goal == "pareto":
        feasible_part = [_spread(frontier, room), best]
    else:
        share = min(len(frontier), room, round(settings.trials * settings.front_share))
        feasible_part = [best[: room - share], _spread(frontier, share), best]
    shown = _distinct(np.concatenate(feasible_part), classes)[:room]
    return _distinct(np.concatenate([shown, excluded]), classes)[: settings.trials]


def _spread(rows: Rows, count: int) -> Rows:
    """Returns at most ``count`` of the rows, evenly spaced, the first one always among them."""
    if len(rows) <= count:
        return rows
    return rows[np.arange(count) * len(rows) // max(count, 1)]


def _distinct(rows: Rows, classes: Rows) -> Rows:
    """Returns the rows except those whose class came earlier, in order."""
    _, first = np.unique(classes[rows], return_index=True)
    return rows[np.sort(first)]


def scan(evaluator: Evaluator, settings: SearchSettings, _seed: int) -> ScanSampler:
    """Returns the exact sampler, which draws nothing."""
    return ScanSampler(evaluator, settings)

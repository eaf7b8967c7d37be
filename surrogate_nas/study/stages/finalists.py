"""Measures the finalists of a search as whole networks and takes the best that keeps the budget."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.interrupts import stop_if_asked
from surrogate_nas.search.result import SearchResult
from surrogate_nas.space.space import Codes
from surrogate_nas.study.stages.prepare import Prepared
from surrogate_nas.study.stages.search import SpaceScores

Outcome = Literal["met", "predicted to meet, measured over"]
_ROUNDS = 3  # of measuring finalists, where all before exceeded the budget
_TIGHTER = 0.98  # factor on the bound of each next round


@dataclass(frozen=True)
class Winners:
    """The finalists and the one that was chosen.

    Attributes:
        outcome: Whether the chosen one keeps the budget where it was measured.
        chosen: Row of the chosen one among the finalists.
        codes: Finalists, the best predicted first, shape (F, D).
        measured: Their measured latency; empty where this machine is not the device of the budget.
    """

    outcome: Outcome
    chosen: int
    codes: Codes
    measured: tuple[Measurement, ...]


def choose_winner(
    prepared: Prepared,
    scores: SpaceScores,
    result: SearchResult,
    console: StudyConsole,
    should_stop: Callable[[], bool],
) -> Winners:
    """Measures the finalists and takes the best that keeps the budget.

    Where all exceed a latency budget that they were predicted to meet, the next ones are sought under a bound that is
    tighter by as much as the measurements exceeded the predictions.

    Raises:
        SettingsError: If the search found nothing within budgets that can be met.
        MeasurementError: If a network cannot be run.
        Interrupted: If a stop was asked for; measurements are kept for the next process.
    """
    finalists = result.finalists
    if not len(finalists):
        raise SettingsError(
            f"none of {len(result.codes):,} trials meets the budget, though {prepared.feasible.sum():,} architectures"
            ' do: set more search.trials, or search.sampler = "scan"'
        )
    if not prepared.cost_model.can_measure:
        return Winners("met", 0, finalists, ())
    limit_ms = next((budget.limit for budget in prepared.budgets if budget.cost == "latency_ms"), np.inf)
    bound_ms, measured, seen = limit_ms, list[Measurement](), finalists[:0]
    while True:
        with console.progress(f"finalists ({len(finalists)} measured whole)"):
            measured += prepared.cost_model.measure_architectures(finalists)
        stop_if_asked(should_stop, "measuring finalists")
        seen = np.concatenate([seen, finalists])
        medians = np.array([one.median_ms for one in measured])
        within = np.flatnonzero(medians <= limit_ms)
        if len(within):
            return Winners("met", int(within[0]), seen, tuple(measured))
        excess = float(np.median(medians / prepared.bounds["latency_ms"][prepared.pool.rows(seen)]))
        bound_ms = min(bound_ms, limit_ms / max(excess, 1.0)) * _TIGHTER
        finalists = _next_finalists(prepared, scores, bound_ms, seen)
        if len(seen) >= _ROUNDS * prepared.settings.search.finalists or not len(finalists):
            return Winners("predicted to meet, measured over", int(np.argmin(medians)), seen, tuple(measured))
        console.warn(f"every finalist measured over the latency budget; looking under {bound_ms:.3g} ms predicted")


def _next_finalists(prepared: Prepared, scores: SpaceScores, limit_ms: float, seen: Codes) -> Codes:
    """The best architectures of distinct classes under a tighter latency bound that were not measured yet."""
    space = prepared.space
    feasible = np.flatnonzero(prepared.feasible & (prepared.bounds["latency_ms"] <= limit_ms))
    order = feasible[np.lexsort((prepared.costs["latency_ms"][feasible], -scores.mean[feasible]))]
    classes = space.canonical_keys(prepared.codes[order])
    _, first = np.unique(classes, return_index=True)
    known = set(space.canonical_keys(seen).tolist()) if len(seen) else set()
    fresh = [row for row in sorted(first.tolist()) if int(classes[row]) not in known]
    return prepared.codes[order[fresh[: prepared.settings.search.finalists]]]

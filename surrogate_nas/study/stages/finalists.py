"""Measures the finalists of a search as whole networks and takes the best that keeps the budget."""

import numpy as np

from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.search.result import SearchResult
from surrogate_nas.space.space import Codes
from surrogate_nas.study.findings import FinalistChoice, Findings, SpaceScores
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run
from surrogate_nas.study.stages.protocol import Stage, Timing

_ROUNDS = 3  # of measuring finalists, where all before exceeded the budget
_TIGHTER = 0.98  # factor on the bound of each next round


class ChooseFinalist(Stage):
    """Measures the finalists of the search and chooses one."""

    name = "winners"
    inputs = (Problem, SpaceScores, SearchResult)
    timing = Timing.ANEW

    def run(self, findings: Findings, run: Run) -> Findings:
        """Measures and chooses."""
        return Findings(choose_finalist(findings[Problem], findings[SpaceScores], findings[SearchResult], run))


def choose_finalist(problem: Problem, scores: SpaceScores, result: SearchResult, run: Run) -> FinalistChoice:
    """Measures the finalists and takes the best that keeps the budget.

    Where all exceed a latency budget that they were predicted to meet, the next ones are sought under a bound that is
    tighter by as much as the measurements exceeded the predictions.

    Raises:
        SettingsError: If the search found nothing within budgets that can be met.
        MeasurementError: If a network cannot be run.
        Interrupted: If a stop was requested; measurements are kept for the next process.
    """
    finalists = result.finalists
    if not len(finalists):
        raise SettingsError(
            f"none of {len(result.codes):,} trials meets the budget, though {problem.feasible.sum():,} architectures"
            ' do: set more search.trials, or search.sampler = "scan"'
        )
    if not problem.cost_model.can_measure:
        return FinalistChoice("met", 0, finalists, ())
    limit_ms = next((budget.limit for budget in problem.budgets if budget.cost == "latency_ms"), np.inf)
    bound_ms, measured, seen = limit_ms, list[Measurement](), finalists[:0]
    while True:
        with run.console.progress(f"finalists ({len(finalists)} measured whole)"):
            measured += problem.cost_model.measure_architectures(finalists)
        run.stop_if_asked("measuring finalists")
        seen = np.concatenate([seen, finalists])
        medians = np.array([one.median_ms for one in measured])
        within = np.flatnonzero(medians <= limit_ms)
        if len(within):
            return FinalistChoice("met", int(within[0]), seen, tuple(measured))
        excess = float(np.median(medians / problem.bounds["latency_ms"][problem.pool.rows(seen)]))
        bound_ms = min(bound_ms, limit_ms / max(excess, 1.0)) * _TIGHTER
        finalists = _next_finalists(problem, scores, bound_ms, seen)
        if len(seen) >= _ROUNDS * problem.settings.search.finalists or not len(finalists):
            return FinalistChoice("predicted to meet, measured over", int(np.argmin(medians)), seen, tuple(measured))
        run.console.warn(
            f"every finalist measured over the latency budget; now trying predictions under {bound_ms:.3g} ms"
        )


def _next_finalists(problem: Problem, scores: SpaceScores, limit_ms: float, seen: Codes) -> Codes:
    """Returns the best architectures of distinct classes under a tighter latency bound that were not measured yet."""
    space = problem.space
    feasible = np.flatnonzero(problem.feasible & (problem.bounds["latency_ms"] <= limit_ms))
    order = feasible[np.lexsort((problem.costs["latency_ms"][feasible], -scores.mean[feasible]))]
    classes = space.canonical_keys(problem.codes[order])
    _, first = np.unique(classes, return_index=True)
    known = set(space.canonical_keys(seen).tolist()) if len(seen) else set()
    fresh = [row for row in sorted(first.tolist()) if int(classes[row]) not in known]
    return problem.codes[order[fresh[: problem.settings.search.finalists]]]

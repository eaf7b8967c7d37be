"""Measures and plans the finalists of a search as whole networks, and takes the best that keeps the budgets."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.costs.budget import Budget, total_excess
from surrogate_nas.costs.cost import COSTS, format_cost
from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.hardware.planned.device_memory import NAMES
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
    """Measures and plans the finalists, and takes the best that keeps the budgets.

    Where all exceed a budget that they were predicted to meet, the next ones are sought under a bound that is tighter
    by as much as the measurements or plans exceeded the predictions. Where nothing lies under that, they are sought
    halfway to the smallest prediction, since a few finalists do not speak for all. The smallest networks are checked
    before an answer over the budget is given.

    Raises:
        SettingsError: If the search found nothing within budgets that can be met.
        MeasurementError: If a network cannot be run or planned.
        Interrupted: If a stop was requested; measurements are kept for the next process.
    """
    finalists = result.finalists
    if not len(finalists):
        raise SettingsError(
            f"none of {len(result.codes):,} trials meets the budget, though {problem.feasible.sum():,} architectures"
            ' do: set more search.trials, or search.sampler = "scan"'
        )
    checks, seen = _Checks(problem), finalists[:0]
    if not checks.needed:
        return FinalistChoice("met", 0, finalists, ())
    bounds = {budget.cost: budget.limit for budget in checks.budgets}
    last = False
    while True:
        checks.add(finalists, run)
        seen = np.concatenate([seen, finalists])
        within = np.flatnonzero(checks.within())
        if len(within):
            return FinalistChoice("met", int(within[0]), seen, tuple(checks.measured), checks.planned)
        before = dict(bounds)
        for budget in checks.budgets:
            excess = float(np.median(checks.values(budget.cost) / problem.bounds[budget.cost][problem.pool.rows(seen)]))
            bounds[budget.cost] = min(bounds[budget.cost], budget.limit / max(excess, 1.0)) * _TIGHTER
        finalists = _next_finalists(problem, scores, bounds, seen)
        if not len(finalists):
            for cost, bound in before.items():
                bounds[cost] = float(np.sqrt(bound * problem.bounds[cost][problem.feasible].min()))
            finalists = _next_finalists(problem, scores, bounds, seen)
        over = len(seen) >= _ROUNDS * problem.settings.search.finalists or not len(finalists)
        smallest = _smallest(problem, checks.budgets, seen) if over and not last else finalists[:0]
        if last or (over and not len(smallest)):
            chosen = int(np.argmin(checks.excess()))
            measured = tuple(checks.measured)
            return FinalistChoice("predicted to meet, measured over", chosen, seen, measured, checks.planned)
        if over:
            last, finalists = True, smallest
        run.console.warn(checks.announced({} if last else bounds))


class _Checks:
    """Measured latencies, and planned RAM and flash, of the finalists so far.

    Args:
        problem: With its budgets.
    """

    def __init__(self, problem: Problem) -> None:
        model = problem.cost_model
        self._model, self._problem = model, problem
        self.plans = model.can_plan
        self.needed = model.can_measure or self.plans
        self.measured: list[Measurement] = []
        self.planned: dict[str, NDArray[np.float64]] = {}
        checked = [
            *(["latency_ms"] if model.can_measure else []),
            *(name for name in NAMES if self.plans and problem.table.describe()[name]["kind"] == "planned"),
        ]
        self.budgets = tuple(budget for budget in problem.budgets if budget.cost in checked)

    def add(self, finalists: Codes, run: Run) -> None:
        """Measures and plans more finalists, shape (M, D).

        Raises:
            Interrupted: If a stop was requested.
        """
        if self._model.can_measure:
            with run.console.progress(f"finalists ({len(finalists)} measured whole)"):
                self.measured += self._or_larger_known(finalists, self._model.measure_architectures(finalists))
            run.stop_if_asked("measuring finalists")
        if self.plans:
            with run.progress(f"finalists ({len(finalists)} planned)", "planning finalists") as advance:
                found = self._model.plan_architectures(finalists, lambda _what, done, total: advance(done, total))
            before = {name: self.planned.get(name, np.zeros(0)) for name in found}
            self.planned = {name: np.concatenate([before[name], values]) for name, values in found.items()}

    def _or_larger_known(self, finalists: Codes, measured: Sequence[Measurement]) -> list[Measurement]:
        """Returns measurements, with the larger latency of finalists that were measured before the search."""
        if "latency_ms" not in self._problem.table.names:
            return list(measured)
        before = self._problem.table.measured_ms(finalists)
        return [
            replace(one, median_ms=max(one.median_ms, ms)) if np.isfinite(ms) else one
            for one, ms in zip(measured, before.tolist(), strict=True)
        ]

    def values(self, cost: str) -> NDArray[np.float64]:
        """Returns what was measured or planned of a cost, for every finalist so far."""
        if cost == "latency_ms":
            return np.array([one.median_ms for one in self.measured])
        return self.planned[cost]

    def within(self) -> NDArray[np.bool_]:
        """Returns which finalists keep every budget that they were checked against."""
        count = len(next(iter(self.planned.values()))) if self.plans else len(self.measured)
        kept = [budget.violation(self.values(budget.cost)) <= 0 for budget in self.budgets]
        return np.asarray(np.all([np.ones(count, dtype=bool), *kept], axis=0))

    def excess(self) -> NDArray[np.float64]:
        """Returns the sum of relative excesses of every finalist; there is a budget."""
        return total_excess(self.budgets, {budget.cost: self.values(budget.cost) for budget in self.budgets})

    def announced(self, bounds: Mapping[str, float]) -> str:
        """Returns a line that says which budgets all finalists exceed, and which networks are tried next.

        Where each budget is kept by some, it is about all of them.

        Args:
            bounds: Bounds of the next ones' predictions; empty where the smallest are next.
        """
        all_over = [one for one in self.budgets if (one.violation(self.values(one.cost)) > 0).all()] or self.budgets
        said = [
            f"every finalist {COSTS[one.cost].checked} over the {COSTS[one.cost].key} budget; now trying "
            + (f"predictions under {format_cost(one.cost, bounds[one.cost])}" if bounds else "the smallest predictions")
            for one in all_over
        ]
        return "; ".join(said)


def _smallest(problem: Problem, checked: Sequence[Budget], seen: Codes) -> Codes:
    """Returns the architectures of distinct classes with least excess over the budgets that were not checked yet.

    Args:
        problem: The problem.
        checked: The budgets that networks are checked against; the others are known to be kept or not.
        seen: Architectures that were checked, shape (M, D).
    """
    rows = np.flatnonzero(problem.connected)
    used = np.max([1 + budget.violation(problem.bounds[budget.cost][rows]) for budget in checked], axis=0)
    others = [budget for budget in problem.budgets if budget not in checked]
    over = total_excess(others, problem.bounds)[rows] if others else np.zeros(len(rows))
    return _fresh(problem, rows[np.lexsort((used, over))], seen)


def _next_finalists(problem: Problem, scores: SpaceScores, limits: Mapping[str, float], seen: Codes) -> Codes:
    """Returns the best architectures of distinct classes under tighter bounds that were not checked yet."""
    within = [problem.bounds[cost] <= limit for cost, limit in limits.items()]
    feasible = np.flatnonzero(np.all([problem.feasible, *within], axis=0))
    order = feasible[np.lexsort((problem.costs[next(iter(limits))][feasible], -scores.mean[feasible]))]
    return _fresh(problem, order, seen)


def _fresh(problem: Problem, order: NDArray[np.int64], seen: Codes) -> Codes:
    """Returns the first architectures of some rows whose classes are new, as many as a search has finalists."""
    space = problem.space
    classes = space.canonical_keys(problem.codes[order])
    _, first = np.unique(classes, return_index=True)
    known = set(space.canonical_keys(seen).tolist()) if len(seen) else set()
    fresh = [row for row in sorted(first.tolist()) if int(classes[row]) not in known]
    return problem.codes[order[fresh[: problem.settings.search.finalists]]]

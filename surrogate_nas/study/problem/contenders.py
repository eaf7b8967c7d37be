"""The architectures among which the answer is: which of them keep the budgets, and which are trained first.

A latency is predicted with an error, and a bound that nearly all architectures keep excludes good ones. A training
takes minutes and a measurement a second, so that contenders between prediction and bound are measured first.

Symbols:
    N: contenders, one of every isomorphism class.
    B: sets of budgets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.costs.budget import Budget, within
from surrogate_nas.costs.cost import COSTS
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.hardware.planned.device_memory import NAMES
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.runs.run_folder import RunFolder, digest
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.study.problem.budget_band import BudgetBand, Evaluate, PricedDraws, draw_in_bands
from surrogate_nas.study.problem.finalist_latencies import (
    FinalistLatencies,
    read_finalist_latencies,
    write_finalist_latencies,
)
from surrogate_nas.study.problem.problem import Problem

FirstDraws = Literal["balanced", "varied"]
"""Fair draws of all numbers of nonlinear functions, or variations of architectures that the space has a name for."""

_STREAM = 7  # of the random draws of a study's seed
_BAND = 1.5  # draws cost at least two thirds of a budget
_PARENTS = 4  # of variations, for each set of budgets: the two largest may be measured over it
_AGAIN = "again:"  # before the name under which a second measurement is kept
_OVER = 1.25  # a known architecture is measured unless its predicted latency is over the budget by more
_FEWEST = 4  # measurements near a budget that correct the predictions there


@dataclass(frozen=True)
class Contenders:
    """Contenders for the answer, and for trainings.

    Attributes:
        problem: The problem, with the latencies of contenders that were measured.
        rows: Their rows in the pool, shape (N,).
        known: Positions among them of the architectures that the space has a name for, shape (M,).
        drawn: Positions of the draws just below the budgets with which trainings begin.
        variations: Positions of draws by the position of the architecture with a name that they are variations of.
        derived: Positions of the architectures that another search derived, in its order.
        noisy: Positions of contenders whose measurement was noisy, so that the bound of the prediction counts.
    """

    problem: Problem
    rows: NDArray[np.int64]
    known: NDArray[np.int64]
    drawn: NDArray[np.int64]
    derived: NDArray[np.int64]
    variations: Mapping[int, Sequence[int]]
    noisy: tuple[int, ...] = ()

    @classmethod
    def of(
        cls,
        problem: Problem,
        draws: int = 0,
        kind: FirstDraws = "balanced",
        derived: Sequence[tuple[int, ...]] = (),
    ) -> "Contenders":
        """Returns one row of every connected class: the one that suits the budgets best, then the cheapest.

        Args:
            problem: Its pool gets the architectures that the space has a name for, the draws and the derived ones.
            draws: Number of draws just below the budgets.
            kind: Kind of these draws.
            derived: Codes that another search derived.
        """
        known = known_codes(problem.space)
        drawn, parents = _drawn(problem, draws, kind)
        found = _codes(problem.space, [np.array(code, dtype=np.int8) for code in derived])
        problem = problem.listing(np.concatenate([known, drawn, found]))
        classes = problem.pool.representatives
        cost = problem.bounds[problem.budgets[0].cost]
        order = np.lexsort((cost, ~problem.feasible, classes))
        order = order[problem.connected[order]]
        _, first = np.unique(classes[order], return_index=True)
        rows = np.sort(order[first])
        first, second, third = (_positions(problem, rows, codes) for codes in (known, drawn, found))
        families = {int(first[row]): np.unique(second[parents == row]).tolist() for row in set(parents.tolist()) - {-1}}
        return cls(problem, rows, first, second, third, families)

    @property
    def codes(self) -> Codes:
        """Their codes, shape (N, D)."""
        return self.problem.codes[self.rows]

    @property
    def measures(self) -> bool:
        """True if contenders are measured or planned before they are trained, since a budget asks for it."""
        return bool(self.problem.checkable)

    @property
    def measured_costs(self) -> str:
        """Costs that are measured or planned, in words such as ``latency, RAM``."""
        return ", ".join(COSTS[cost].title for cost in COSTS if cost in self.problem.checkable)

    @property
    def answers(self) -> NDArray[np.bool_]:
        """True for contenders that may keep a set of budgets, shape (B, N).

        Where latencies can be measured, the prediction decides about contenders that were not measured yet. Elsewhere
        it is the upper bound of the prediction.
        """
        return self._may_keep(_OVER)

    def _may_keep(self, over: float) -> NDArray[np.bool_]:
        """Returns ``answers``, where architectures with a name may be predicted over the latency budget by a factor."""
        if not self.measures:
            return self._sure
        problem = self.problem
        costs = {cost: values[self.rows] for cost, values in problem.hopes.items()}
        if "latency_ms" not in problem.checkable:
            return np.stack([within(budgets, costs) for budgets in self._sets])
        predicted, measured = costs["latency_ms"], problem.table.measured_ms(self.codes)
        unknown, noisy = np.isnan(measured), list(self.noisy)
        factors = self._underestimates(measured)
        predicted[self.known[unknown[self.known]]] /= over
        found = []
        for budgets, factor in zip(self._sets, factors, strict=True):
            latency = np.where(unknown, predicted * factor, predicted)
            latency[noisy] = problem.bounds["latency_ms"][self.rows[noisy]]
            found.append(within(budgets, {**costs, "latency_ms": latency}))
        return np.stack(found)

    def _underestimates(self, measured: NDArray[np.float64]) -> list[float]:
        """Returns by which factor latencies near each set of budgets are longer than predicted, and at least 1.

        The best architectures at the edge of a budget are the ones whose predictions are too short. Where measurements
        showed that, the next ones are chosen by predictions that are as much longer.

        Args:
            measured: Measured latency of every contender, NaN for the others, shape (N,).
        """
        known = np.flatnonzero(~np.isnan(measured))
        predicted = self.problem.table.predictions.evaluate(self.codes[known])["latency_ms"]
        factors = []
        for budgets in self._sets:
            limits = [one.limit for one in budgets if one.cost == "latency_ms"]
            near = (predicted <= min(limits)) & (predicted >= min(limits) / _BAND) if limits else known < 0
            ratios = measured[known[near]] / predicted[near]
            factors.append(max(1.0, float(np.median(ratios))) if len(ratios) >= _FEWEST else 1.0)
        return factors

    @property
    def _sure(self) -> NDArray[np.bool_]:
        """True for contenders whose upper bound keeps a set of budgets, shape (B, N)."""
        return np.stack([self.problem.feasible_under(budgets)[self.rows] for budgets in self._sets])

    @property
    def _sets(self) -> Sequence[Sequence[Budget]]:
        return (self.problem.budgets, *self.problem.also)

    def preferred(self, score: NDArray[np.floating] | None = None) -> list[int]:
        """Returns positions of the architectures that the space has a name for, the most wanted one first.

        Args:
            score: Of every contender, shape (N,), larger is wanted more; the amount of computation if not given.
        """
        wanted = (self.problem.costs["flops"][self.rows] if score is None else score)[self.known]
        return [int(position) for position in self.known[np.argsort(-wanted, kind="stable")]]

    def promising(self, score: NDArray[np.floating], count: int) -> list[int]:
        """Returns positions of contenders that a measurement may make the answer, which their bounds exclude.

        Args:
            score: Of every contender, shape (N,), larger is better.
            count: The most of them for each set of budgets. The best by their scores are chosen, among the ones that
                are better than all whose bounds keep the budgets.
        """
        found: list[int] = []
        for possible, sure in zip(self._may_keep(1.0), self._sure, strict=True):
            least = score[sure].max() if sure.any() else -np.inf
            rows = np.flatnonzero(possible & ~sure & (score > least))
            found += rows[np.argsort(-score[rows], kind="stable")][:count].tolist()
        return list(dict.fromkeys(found))

    def measured(self, positions: Sequence[int], folder: RunFolder) -> "Contenders":
        """Returns the contenders with some of them measured and planned, where their bound does not keep every budget.

        The run folder keeps the measurements, and the machine's cache the plans.

        Raises:
            MeasurementError: If a network cannot be run or planned.
            StoreError: If the file of an earlier process is damaged.
        """
        doubtful = (self.answers != self._sure).any(axis=0)
        positions = [position for position in positions if doubtful[position]]
        if not positions:
            return self
        problem, space, checkable = self.problem, self.problem.space, self.problem.checkable
        codes = space.effective(self.codes[list(positions)])
        if checkable.intersection(NAMES):
            planned = problem.table.with_known(codes, problem.cost_model.plan_architectures(codes))
            problem = replace(problem, table=planned)
        if "latency_ms" not in checkable:
            return replace(self, problem=problem)
        names, inputs = space.digits(codes), digest({"latency": problem.table.describe()["latency_ms"]})
        before = read_finalist_latencies(folder.finalist_latencies, inputs)
        latencies = self._measured(codes, before)
        if latencies != before:
            write_finalist_latencies(folder.finalist_latencies, inputs, latencies)
        kept = latencies.found
        calm = np.array([not kept[name].noisy for name in names])
        medians = np.array([kept[name].median_ms for name in names])
        noisy = [position for position, name in zip(positions, names, strict=True) if kept[name].noisy]
        table = problem.table.with_measured(codes[calm], medians[calm])
        return replace(self, problem=replace(problem, table=table), noisy=tuple(dict.fromkeys([*self.noisy, *noisy])))

    def _measured(self, codes: Codes, known: FinalistLatencies) -> FinalistLatencies:
        """Returns the known measurements with the ones of effective codes, shape (M, D).

        Whatever keeps a budget by its first measurement is measured again, and the larger latency counts. Of many
        architectures at the edge of a budget, a first measurement favours the ones that it found too fast.
        """
        problem, space = self.problem, self.problem.space
        names = space.digits(codes)
        missing = [place for place, name in enumerate(names) if name not in known.found]
        found = dict(known.found)
        if missing:
            first = problem.cost_model.measure_architectures(codes[missing])
            found |= zip([names[place] for place in missing], first, strict=True)
        limits = [one.limit for budgets in self._sets for one in budgets if one.cost == "latency_ms"]
        again = {
            f"{_AGAIN}{name}": partial(build_network, space, code, problem.deployed)
            for name, code in zip(names, codes, strict=True)
            if name not in known.twice and found[name].median_ms <= max(limits)
        }
        second = problem.cost_model.measure_modules(again) if again else {}
        second = {name.removeprefix(_AGAIN): one for name, one in second.items()}
        found |= {name: larger(found[name], one) for name, one in second.items()}
        return FinalistLatencies(found, known.twice.union(second))


def larger(one: Measurement, other: Measurement) -> Measurement:
    """Returns the measurement of the larger latency, noisy if one of both is."""
    return replace(max(one, other, key=lambda each: each.median_ms), noisy=one.noisy or other.noisy)


def known_codes(space: Space) -> Codes:
    """Returns effective codes of the architectures that a space has a name for, shape (M, D)."""
    return _codes(space, list(space.known.values()))


def _codes(space: Space, codes: Sequence[Codes]) -> Codes:
    return np.array(codes, dtype=np.int8).reshape(-1, space.num_decisions)


def _drawn(problem: Problem, count: int, kind: FirstDraws) -> tuple[Codes, NDArray[np.int64]]:
    """Returns different architectures just below the budgets, as many of one set of budgets as of another.

    Returns:
        Codes, shape (M, D), M at most about ``count``, and the row of each one's parent among the architectures with a
        name, shape (M,), -1 where it has none. Parents take turns.
    """
    space, settings = problem.space, problem.settings
    costs = problem.table if problem.cost_model.can_measure else problem.cautious_costs
    bands = [BudgetBand(budgets, _BAND) for budgets in (problem.budgets, *problem.also)]
    rng = np.random.default_rng([settings.seed, _STREAM])
    if kind == "balanced":
        codes = draw_in_bands(PricedDraws(space, costs.evaluate, "balanced"), bands, count, rng)
        return codes, np.full(len(codes), -1)
    known = known_codes(space)
    found: list[tuple[int, int, Codes]] = []  # place among the parent's variations, parent, code
    for band, share in zip(bands, np.array_split(np.arange(count), len(bands)), strict=True):
        parents = _parents(known, band, costs.evaluate)
        for parent, each in zip(parents, np.array_split(share, len(parents)), strict=True):
            source = PricedDraws(space, costs.evaluate, parents=known[[parent]])
            codes = draw_in_bands(source, [band], len(each), rng)
            found += [(place, int(parent), code) for place, code in enumerate(codes)]
    found.sort(key=lambda one: one[0])
    return _codes(space, [code for _, _, code in found]), np.array([parent for _, parent, _ in found], dtype=np.int64)


def _parents(known: Codes, band: BudgetBand, evaluate: Evaluate) -> NDArray[np.int64]:
    """Returns rows of named architectures: the ones with most computation within the budgets, or else the cheapest."""
    costs = dict(evaluate(known))
    if "latency_ms" in costs:
        costs["latency_ms"] = costs["latency_ms"] / _OVER
    excess = np.max([budget.violation(costs[budget.cost]) for budget in band.budgets], axis=0)
    order = np.lexsort((-costs["flops"], np.maximum(excess, 0)))
    kept = int((excess <= 0).sum())
    return np.asarray(order[: max(1, min(kept, _PARENTS))])


def _positions(problem: Problem, rows: NDArray[np.int64], codes: Codes) -> NDArray[np.int64]:
    """Returns the positions of codes' classes among the rows, shape (M,)."""
    if not len(codes):
        return np.zeros(0, dtype=np.int64)
    keys = problem.pool.representatives
    order = np.argsort(keys[rows], kind="stable")
    wanted = keys[problem.pool.rows(codes)]
    return np.asarray(order[np.searchsorted(keys[rows], wanted, sorter=order)], dtype=np.int64)

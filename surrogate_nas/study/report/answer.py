"""Gathers what the stages found into the facts that the report shows."""

import datetime

import numpy as np

from surrogate_nas.costs.pareto import pareto_mask
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.predictor.predictor import FittedPredictor
from surrogate_nas.report.facts import (
    AnswerFacts,
    ArchitectureFacts,
    BlockFacts,
    CellFacts,
    CostFacts,
    Estimate,
    GraphFacts,
    MadeFacts,
    SmallestCost,
    StudyFacts,
    TrustFacts,
    TruthFacts,
)
from surrogate_nas.report.plots.predictor_plots import PlotPoints
from surrogate_nas.space.drawing import graph_of
from surrogate_nas.space.edge_cells import EdgeCell
from surrogate_nas.space.layouts import decides_by_layer
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.study.stages.finalists import Winners
from surrogate_nas.study.stages.learn import StudyLabels
from surrogate_nas.study.stages.prepare import Prepared
from surrogate_nas.study.stages.search import SpaceScores

_NORMAL_95 = 1.96
# Choices that leave data as they are, or let none through.
_NOTHING = ("none", "skip", "skip_connect", "identity")
_NEAREST = 5


def answer_facts(prepared: Prepared, predictor: FittedPredictor, scores: SpaceScores, winners: Winners) -> AnswerFacts:
    """The chosen architecture and the other finalists."""
    error = predictor.calibration.residual_percent
    finalists = tuple(
        _architecture(prepared, code, scores, error, winners.measured[row] if winners.measured else None)
        for row, code in enumerate(winners.codes)
    )
    return AnswerFacts(
        outcome=winners.outcome,
        chosen=finalists[winners.chosen],
        cell=_cell(prepared, winners.codes[winners.chosen]),
        finalists=finalists,
        blocks=_blocks(prepared, winners.codes[winners.chosen]),
        graph=_graph(prepared, winners.codes[winners.chosen]),
        chained=_chained(prepared.space),
    )


def infeasible_facts(prepared: Prepared) -> AnswerFacts:
    """What is nearest to budgets that nothing meets."""
    rows = np.flatnonzero(prepared.connected)
    smallest = []
    for budget in prepared.budgets:
        row = rows[np.argmin(prepared.bounds[budget.cost][rows])]
        cheapest = float(prepared.bounds[budget.cost][row])
        digits, text = prepared.space.digits(prepared.codes[[row]])[0], prepared.space.format(prepared.codes[row])
        smallest.append(SmallestCost(budget.cost, budget.limit, cheapest, digits, text))
    excess = sum(
        (np.maximum(budget.violation(prepared.bounds[budget.cost][rows]), 0) for budget in prepared.budgets),
        start=np.zeros(len(rows)),
    )
    order = rows[np.argsort(excess, kind="stable")]
    _, first = np.unique(prepared.space.canonical_keys(prepared.codes[order]), return_index=True)
    misses = tuple(
        _architecture(prepared, prepared.codes[order[position]], None, 0.0, None)
        for position in sorted(first.tolist())[:_NEAREST]
    )
    return AnswerFacts("infeasible", smallest=tuple(smallest), nearest_misses=misses)


def _architecture(
    prepared: Prepared,
    code: Codes,
    scores: SpaceScores | None,
    label_error_percent: float,
    measured: Measurement | None,
) -> ArchitectureFacts:
    space = prepared.space
    row = int(prepared.pool.rows(code[None])[0])
    estimate, std = Estimate(None), None
    if scores is not None:
        mean, std = float(np.clip(scores.mean[row], 0, 100)), float(scores.std[row])
        half = _NORMAL_95 * float(np.hypot(std, label_error_percent))
        estimate = Estimate(mean, max(0.0, mean - half), min(100.0, mean + half))
    limits = {budget.cost: budget.limit for budget in prepared.budgets}
    names = [*limits, *(cost for cost in prepared.costs if cost not in limits)]
    costs = tuple(
        CostFacts(
            cost,
            float(prepared.costs[cost][row]),
            limits.get(cost),
            *_measured(measured if cost == "latency_ms" else None),
            _upper(prepared, cost, row),
            prepared.settings.hardware.confidence,
        )
        for cost in names
    )
    truth = prepared.truth.accuracy_percent[row] if prepared.truth else np.nan
    return ArchitectureFacts(
        space.digits(code[None])[0],
        space.format(code),
        estimate,
        std,
        costs,
        float(truth) if np.isfinite(truth) else None,
    )


def _measured(one: Measurement | None) -> tuple[float | None, float | None, int | None, bool]:
    return (one.median_ms, one.iqr_ms, one.repeats, one.noisy) if one else (None, None, None, False)


def _upper(prepared: Prepared, cost: str, row: int) -> float | None:
    return float(prepared.bounds[cost][row]) if len(prepared.table.held_out_errors(cost)) else None


def _cell(prepared: Prepared, code: Codes) -> CellFacts | None:
    space = prepared.space
    if not isinstance(space, EdgeCell):
        return None
    effective = space.effective(code[None])[0]
    zero = space.effective(np.zeros_like(code)[None])[0][0]
    return CellFacts(
        space.edges,
        tuple(space.operations[choice] for choice in code),
        tuple(bool(choice != zero) for choice in effective),
    )


def _blocks(prepared: Prepared, code: Codes) -> tuple[BlockFacts, ...]:
    if isinstance(prepared.space, EdgeCell):
        return ()
    decided = zip(prepared.space.decisions, code.tolist(), strict=True)
    chosen = [(decision.name, decision.choices[choice]) for decision, choice in decided]
    return tuple(BlockFacts(name, choice, choice not in _NOTHING) for name, choice in chosen)


def _graph(prepared: Prepared, code: Codes) -> GraphFacts | None:
    if isinstance(prepared.space, EdgeCell) or _chained(prepared.space):
        return None
    return GraphFacts(*graph_of(prepared.space, code))


def _chained(space: Space) -> bool:
    """Returns whether data flow through the decided layers in the order of the decisions."""
    return decides_by_layer(space.layout(space.network))


def study_facts(
    prepared: Prepared,
    answer: AnswerFacts,
    made: MadeFacts,
    trust: TrustFacts | None = None,
    truth: TruthFacts | None = None,
) -> StudyFacts:
    """One whole report."""
    return StudyFacts(
        study=prepared.settings.name,
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        primary_cost=prepared.budgets[0].cost,
        answer=answer,
        made=made,
        trust=trust,
        truth=truth,
    )


def plot_points(prepared: Prepared, predictor: FittedPredictor, scores: SpaceScores, labels: StudyLabels) -> PlotPoints:
    """What the report plots."""
    rows = np.flatnonzero(prepared.connected)
    cost = prepared.costs[prepared.budgets[0].cost][rows]
    codes = prepared.codes[rows]
    held_out = predictor.calibration.accuracy_percent(predictor.cross_validation.out_of_fold)
    return PlotPoints(
        accuracy_percent=np.clip(scores.mean[rows], 0, 100),
        cost=cost,
        pareto=pareto_mask(scores.mean[rows], cost[:, None]),
        digits=prepared.space.digits(codes),
        architectures=[prepared.space.format(code) for code in codes],
        label_percent=labels.accuracy_percent,
        out_of_fold_percent=held_out,
        space_size=len(rows),
    )

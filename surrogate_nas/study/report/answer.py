"""Facts of the answer: the chosen architecture and the other finalists, or what comes nearest to the budgets."""

import datetime
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from surrogate_nas.costs.budget import total_excess
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.hardware.planned.device_memory import NAMES
from surrogate_nas.lookup.entry import half_interval
from surrogate_nas.predictor.predictor import FittedPredictor
from surrogate_nas.report.facts.against_truth import TruthFacts
from surrogate_nas.report.facts.architectures import (
    AnswerFacts,
    ArchitectureFacts,
    BlockFacts,
    CellFacts,
    CostFacts,
    Estimate,
    GraphFacts,
    SmallestCost,
)
from surrogate_nas.report.facts.making import MadeFacts
from surrogate_nas.report.facts.reliability import TrustFacts
from surrogate_nas.report.facts.whole import StudyFacts
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.space.drawing import graph_of
from surrogate_nas.space.edge_cells import EdgeCell
from surrogate_nas.space.layouts import decides_by_layer, layout_of
from surrogate_nas.space.network import CHOICE, NetworkSpec
from surrogate_nas.space.operations.families import find_block
from surrogate_nas.space.operations.table import operation_spec
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.study.findings import FinalistChoice, SpaceScores
from surrogate_nas.study.problem.problem import CautiousCosts, Problem

_NEAREST = 5


def answer_facts(
    problem: Problem, predictor: FittedPredictor, scores: SpaceScores, choice: FinalistChoice
) -> AnswerFacts:
    """Returns the chosen architecture and the other finalists."""
    error = scores.error_percent(predictor.calibration.residual_percent)
    finalists = tuple(
        _architecture(problem, code, scores, error, _checked(choice, row)) for row, code in enumerate(choice.codes)
    )
    return AnswerFacts(
        outcome=choice.outcome,
        chosen=finalists[choice.chosen],
        cell=_cell(problem, choice.codes[choice.chosen]),
        finalists=finalists,
        blocks=_blocks(problem, choice.codes[choice.chosen]),
        graph=_graph(problem, choice.codes[choice.chosen]),
        chained=_chained(problem.space),
        trained_networks=scores.trained.networks if scores.trained else 0,
        best_trained_percent=max(scores.trained.accuracy_percent.values(), default=None) if scores.trained else None,
        accuracy_basis=scores.basis,
        measured_here=problem.cost_model.can_measure,
    )


def infeasible_facts(problem: Problem) -> AnswerFacts:
    """Returns the smallest costs and the architectures nearest to budgets that nothing meets."""
    rows = np.flatnonzero(problem.connected)
    smallest = []
    for budget in problem.budgets:
        row = rows[np.argmin(problem.bounds[budget.cost][rows])]
        cheapest = float(problem.bounds[budget.cost][row])
        digits, text = problem.space.digits(problem.codes[[row]])[0], problem.space.format(problem.codes[row])
        uncertain = len(problem.table.held_out_errors(budget.cost)) > 0
        predicted = float(problem.costs[budget.cost][row]) if uncertain else None
        smallest.append(SmallestCost(budget.cost, budget.limit, cheapest, digits, text, predicted))
    order = rows[np.argsort(total_excess(problem.budgets, problem.bounds)[rows], kind="stable")]
    _, first = np.unique(problem.space.canonical_keys(problem.codes[order]), return_index=True)
    misses = tuple(
        _architecture(problem, problem.codes[order[position]], None, 0.0, {})
        for position in sorted(first.tolist())[:_NEAREST]
    )
    return AnswerFacts(
        "infeasible",
        smallest=tuple(smallest),
        nearest_misses=misses,
        measured_here=problem.cost_model.can_measure,
        predicted_to_meet=bool((total_excess(problem.budgets, problem.costs)[rows] <= 0).any()),
    )


def _architecture(
    problem: Problem,
    code: Codes,
    scores: SpaceScores | None,
    label_error_percent: float,
    checked: Mapping[str, Measurement | float],
) -> ArchitectureFacts:
    space = problem.space
    row = int(problem.pool.rows(code[None])[0])
    estimate, std = Estimate(None), None
    if scores is not None:
        mean, std = float(np.clip(scores.mean[row], 0, 100)), float(scores.std[row])
        half = half_interval(std, label_error_percent)
        estimate = Estimate(mean, max(0.0, mean - half), min(100.0, mean + half))
    limits = {budget.cost: budget.limit for budget in problem.budgets}
    checked = {**_known_exactly(problem, code), **checked}
    # What was believed before anything was measured, beside what was measured.
    predictions, confidence = problem.table.predictions, problem.settings.hardware.confidence
    expected = predictions.evaluate(code[None])
    upper = CautiousCosts(predictions, confidence).evaluate(code[None])
    names = dict.fromkeys([*limits, *problem.costs, *checked])
    costs = tuple(
        CostFacts(
            cost,
            float(expected[cost][0]) if cost in expected else None,
            limits.get(cost),
            *_measured(checked.get(cost)),
            float(upper[cost][0]) if cost in upper and len(predictions.held_out_errors(cost)) else None,
            confidence,
            _conditions(problem, cost),
        )
        for cost in names
    )
    truth = problem.truth.accuracy_percent[row] if problem.truth else np.nan
    return ArchitectureFacts(
        space.digits(code[None])[0],
        space.format(code),
        estimate,
        std,
        costs,
        float(truth) if np.isfinite(truth) else None,
    )


def _checked(choice: FinalistChoice, row: int) -> dict[str, Measurement | float]:
    """Returns what was measured and planned of a finalist, by cost."""
    planned = {cost: float(values[row]) for cost, values in choice.planned.items()}
    return {**({"latency_ms": choice.measured[row]} if choice.measured else {}), **planned}


def _known_exactly(problem: Problem, code: Codes) -> dict[str, float]:
    """Returns what was measured and planned of an architecture, shape (D,), before finalists were, by cost."""
    known = {cost: float(problem.table.known_exactly(cost, code[None])[0]) for cost in problem.table.exact}
    return {cost: value for cost, value in known.items() if np.isfinite(value)}


def _conditions(problem: Problem, cost: str) -> str:
    if cost == "latency_ms":
        return problem.latency_conditions
    return str(problem.table.describe().get(cost, {}).get("planner", "")) if cost in NAMES else ""


def _measured(one: Measurement | float | None) -> tuple[float | None, float | None, int | None, bool]:
    if isinstance(one, float):
        return one, None, None, False
    return (one.median_ms, one.iqr_ms, one.repeats, one.noisy) if one else (None, None, None, False)


def _cell(problem: Problem, code: Codes) -> CellFacts | None:
    space = problem.space
    if not isinstance(space, EdgeCell):
        return None
    effective = space.effective(code[None])[0]
    return CellFacts(
        space.edges,
        tuple(space.operations[choice] for choice in code),
        tuple(not operation_spec(space.operations[choice]).is_zero for choice in effective),
    )


def _blocks(problem: Problem, code: Codes) -> tuple[BlockFacts, ...]:
    if isinstance(problem.space, EdgeCell):
        return ()
    decided = zip(problem.space.decisions, code.tolist(), strict=True)
    chosen = [(decision.name, decision.choices[choice]) for decision, choice in decided]
    # The width of a stage is decided first, and stands with the layers of its stage.
    stages = list(dict.fromkeys(name.partition(".")[0] for name, _ in chosen))
    chosen.sort(key=lambda one: stages.index(one[0].partition(".")[0]))
    idle = _idle(problem.space, code, problem.deployed)
    return tuple(BlockFacts(name, choice, name not in idle) for name, choice in chosen)


def _idle(space: Space, code: Codes, network: NetworkSpec) -> set[str]:
    """Returns the decisions of an architecture that compute nothing: identities where the shape stays as it is."""
    return {
        space.decisions[layer.decision].name
        for layer in layout_of(space, code, network)
        if layer.kind == CHOICE
        and layer.decision is not None
        and layer.shape.keeps
        and find_block(space.decisions[layer.decision].choices[code[layer.decision]]).is_identity
    }


def _graph(problem: Problem, code: Codes) -> GraphFacts | None:
    if isinstance(problem.space, EdgeCell) or _chained(problem.space):
        return None
    return GraphFacts(*graph_of(problem.space, code))


def _chained(space: Space) -> bool:
    """Returns whether data flow through the decided layers in the order of the decisions."""
    return decides_by_layer(space.layout(space.network))


def _title(settings: StudySettings) -> str:
    """Returns the name of the study, with the name of the user's images where it searches on them."""
    path = settings.data.path
    return f"{Path(path).name} ({settings.name})" if path else settings.name


def study_facts(
    problem: Problem,
    answer: AnswerFacts,
    made: MadeFacts,
    trust: TrustFacts | None = None,
    truth: TruthFacts | None = None,
) -> StudyFacts:
    """Returns one whole report."""
    return StudyFacts(
        study=_title(problem.settings),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        primary_cost=problem.budgets[0].cost,
        answer=answer,
        made=made,
        trust=trust,
        truth=truth,
    )

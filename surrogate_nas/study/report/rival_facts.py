"""Gathers what the report says of off-the-shelf networks at the study's budgets."""

from surrogate_nas.report.facts.against_rivals import RivalFacts, RivalsFacts
from surrogate_nas.report.facts.architectures import CostFacts, Estimate
from surrogate_nas.rivals.fit import COUNTED, FittedRival, by_strength
from surrogate_nas.rivals.results_file import TrainedRecord
from surrogate_nas.rivals.table import RIVALS
from surrogate_nas.study.findings import FinalistChoice, RivalFindings
from surrogate_nas.study.problem.problem import Problem

_ALWAYS = ("params", "flops")


def rivals_facts(problem: Problem, choice: FinalistChoice, found: RivalFindings) -> RivalsFacts | None:
    """Returns the facts on every rival, the ones that fit first; None where the study compares with none."""
    fitted = found.records.fitted
    if not fitted:
        return None
    fits = by_strength(fitted)
    digits = problem.space.digits(problem.space.effective(choice.code))[0]
    answer = found.records.trained.get(digits) if found.trained else None
    return RivalsFacts(
        tuple(_rival(problem, one, found) for one in [*fits, *(one for one in fitted if not one.fits)]),
        found=_estimate(answer),
        epochs=problem.settings.training.epochs if found.trained else None,
        images=len(problem.splits.validation) if found.trained else None,
        unknown=found.unknown,
        beside_ms=found.records.beside.median_ms if found.records.beside is not None else None,
        conditions=problem.latency_conditions if found.records.beside is not None else "",
        pretrained=problem.first_weights is not None,
    )


def _rival(problem: Problem, one: FittedRival, found: RivalFindings) -> RivalFacts:
    row, trained = RIVALS[one.network.name], None
    if one.network.key in found.trained:
        trained = found.records.trained.get(one.network.key)
    return RivalFacts(
        one.network.title,
        row.family,
        tuple(_cost(problem, one, cost) for cost in _costs(problem, found)),
        _estimate(trained),
        one.reason or (f"its training failed: {trained.reason}" if trained is not None and trained.reason else ""),
        one.fits,
    )


def _costs(problem: Problem, found: RivalFindings) -> list[str]:
    """Returns parameters, multiply-accumulates, and the other costs that have a budget or were measured."""
    budgeted = [budget.cost for budget in problem.budgets if budget.cost in (*COUNTED, "latency_ms")]
    measured = ["latency_ms"] if any(one.latency is not None for one in found.records.fitted) else []
    return list(dict.fromkeys([*_ALWAYS, *budgeted, *measured]))


def _cost(problem: Problem, one: FittedRival, cost: str) -> CostFacts:
    limits = {budget.cost: budget.limit for budget in problem.budgets}
    if cost != "latency_ms":
        return CostFacts(cost, None if one.counts is None else float(getattr(one.counts, cost)), limits.get(cost))
    latency = one.latency
    if latency is None:
        return CostFacts(cost, None, limits.get(cost))
    return CostFacts(cost, None, limits.get(cost), latency.median_ms, latency.iqr_ms, latency.repeats, latency.noisy)


def _estimate(record: TrainedRecord | None) -> Estimate:
    return Estimate(None) if record is None else Estimate(record.accuracy_percent, record.low, record.high)

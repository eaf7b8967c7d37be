"""Gathers what the stages found into the facts that the report shows."""

import datetime
from collections.abc import Mapping, Sequence

import numpy as np

from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.pareto import pareto_mask
from surrogate_nas.predictor.fitted import FittedPredictor
from surrogate_nas.report.facts import (
    AnswerFacts,
    ArchitectureFacts,
    BaselineFacts,
    CellFacts,
    CostFacts,
    CostRange,
    DataFacts,
    Estimate,
    LabelFacts,
    LatencyFacts,
    MadeFacts,
    NetworkFacts,
    Pairs,
    PredictorFacts,
    SearchFacts,
    SmallestCost,
    SpaceFacts,
    StageFacts,
    StudyFacts,
    SupernetFacts,
    TrustFacts,
    TruthFacts,
)
from surrogate_nas.report.plots import PlotPoints
from surrogate_nas.report.truth_judgement import judge_truth
from surrogate_nas.search.result import SearchResult
from surrogate_nas.space.cell import CellSpace
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Codes
from surrogate_nas.study.answer import SpaceScores, Winners
from surrogate_nas.study.environment import processor, versions
from surrogate_nas.study.learn import StudyLabels, baselines
from surrogate_nas.study.prepare import Prepared
from surrogate_nas.study.settings import StudySettings

_NORMAL_95 = 1.96
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
    )


def infeasible_facts(prepared: Prepared) -> AnswerFacts:
    """What is nearest to budgets that nothing meets."""
    rows = np.flatnonzero(prepared.connected)
    smallest = []
    for budget in prepared.budgets:
        row = rows[np.argmin(prepared.costs[budget.cost][rows])]
        cheapest = float(prepared.costs[budget.cost][row])
        digits, text = prepared.space.digits(prepared.codes[[row]])[0], prepared.space.format(prepared.codes[row])
        smallest.append(SmallestCost(budget.cost, budget.limit, cheapest, digits, text))
    excess = sum(
        (np.maximum(budget.violation(prepared.costs[budget.cost][rows]), 0) for budget in prepared.budgets),
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
    row = int(space.index(code[None])[0])
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
            *((measured.median_ms, measured.iqr_ms, measured.repeats, measured.noisy) if measured else ())
            if cost == "latency_ms"
            else (),
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


def _cell(prepared: Prepared, code: Codes) -> CellFacts | None:
    space = prepared.space
    if not isinstance(space, CellSpace):
        return None
    effective = space.effective(code[None])[0]
    zero = space.effective(np.zeros_like(code)[None])[0][0]
    return CellFacts(
        space.edges,
        tuple(space.operations[choice] for choice in code),
        tuple(bool(choice != zero) for choice in effective),
    )


def trust_facts(prepared: Prepared, predictor: FittedPredictor, labels: StudyLabels, winners: Winners) -> TrustFacts:
    """How good labels, predictor and latencies are by themselves."""
    evidence = predictor.cross_validation
    accuracy = labels.accuracy_percent
    settings = prepared.settings
    return TrustFacts(
        labels=LabelFacts(
            architectures=len(labels.codes),
            distinct_cells=len(np.unique(prepared.space.canonical_keys(labels.codes))),
            images=min(settings.labels.validation_images, len(prepared.splits.validation)),
            lowest_percent=float(accuracy.min()),
            median_percent=float(np.median(accuracy)),
            highest_percent=float(accuracy.max()),
        ),
        predictor=PredictorFacts(
            name=settings.predictor.model,
            tau=Estimate(_known(evidence.tau), _known(evidence.low), _known(evidence.high)),
            top10_tau=_known(evidence.top10_tau),
            regret_percent=_known(evidence.regret_percent),
            folds=settings.predictor.folds,
            baselines=tuple(BaselineFacts(name, _known(tau)) for name, tau in evidence.baselines.items()),
        ),
        latency=_latency_facts(prepared, winners),
    )


def _latency_facts(prepared: Prepared, winners: Winners) -> LatencyFacts | None:
    described = prepared.table.describe()["latency_ms"]
    device = prepared.latency_device
    rows = prepared.space.index(winners.codes)
    if not winners.measured:
        return LatencyFacts(source=f"table {described['file']}", device=device, measured_here=False)
    measured = np.array([one.median_ms for one in winners.measured])
    errors = 100 * np.abs(prepared.costs["latency_ms"][rows] / measured - 1)
    day = described["measured_to"][:10]
    return LatencyFacts(
        source=f"operations and {described['networks_measured']} whole networks, measured {day}",
        device=device,
        measured_here=True,
        networks=len(measured),
        median_error_percent=float(np.median(errors)),
        largest_error_percent=float(errors.max()),
        noisy_networks=sum(one.noisy for one in winners.measured),
    )


def truth_facts(
    prepared: Prepared, predictor: FittedPredictor, scores: SpaceScores, labels: StudyLabels, winners: Winners
) -> TruthFacts | None:
    """Everything judged by ground truth, where there is any; nothing but the report sees this."""
    if prepared.truth is None:
        return None
    values = -labels.loss if predictor.settings.target == "loss" else labels.accuracy_percent
    everywhere = np.full(prepared.space.size, np.nan)
    everywhere[prepared.space.index(labels.codes)] = values
    predicted = np.where(prepared.connected, scores.mean, np.nan)
    return judge_truth(
        prepared.truth,
        prepared.space,
        labels=everywhere,
        predicted=predicted,
        baselines=baselines(prepared, prepared.codes),
        feasible=prepared.feasible,
        chosen=int(prepared.space.index(winners.codes[[winners.chosen]])[0]),
        seed=prepared.settings.seed,
    )


def made_facts(
    prepared: Prepared,
    *,
    command: str,
    seconds: Mapping[str, float],
    result: SearchResult | None,
    notes: Sequence[str],
) -> MadeFacts:
    """How the study was made."""
    settings, splits, plan = prepared.settings, prepared.splits, prepared.plan
    limits = {budget.cost: budget for budget in prepared.budgets}
    ranges = []
    for cost, everywhere in prepared.costs.items():
        values = everywhere[prepared.connected]
        budget = limits.get(cost)
        feasible = int((budget.violation(values) <= 0).sum()) if budget else None
        low, middle, high = float(values.min()), float(np.median(values)), float(values.max())
        ranges.append(CostRange(cost, low, middle, high, budget.limit if budget else None, feasible))
    searched = None
    if result is not None:
        pairs = _pairs(settings.search.model_dump(exclude={"sampler", "trials"}))
        searched = SearchFacts(settings.search.sampler, len(result.codes), int(result.feasible.sum()), pairs)
    return MadeFacts(
        space=SpaceFacts(
            prepared.space.name,
            prepared.space.fingerprint,
            prepared.space.size,
            len(np.unique(prepared.space.canonical_keys(prepared.codes))),
        ),
        deployed=_network(prepared.deployed),
        supernet_network=_network(plan.network),
        data=DataFacts(
            settings.data.path or settings.data.source,
            len(splits.train),
            len(splits.validation),
            splits.class_names,
            splits.fingerprint,
        ),
        supernet=SupernetFacts(
            split=f"{settings.supernet.split}: {', '.join(plan.split.names)}",
            groups=plan.split.groups,
            sharing="whole subnet" if settings.supernet.sharing == "whole" else "depth-wise",
            sampling=settings.supernet.sampler,
            steps=min(plan.steps(member) for member in range(plan.members)),
            batch_size=settings.supernet.batch_size,
        ),
        cost_ranges=tuple(ranges),
        command=command,
        search=searched,
        stages=tuple(StageFacts(name, taken) for name, taken in seconds.items()),
        predictor=_pairs(settings.predictor.model_dump()),
        seeds=(("study", str(settings.seed)),),
        versions=_pairs(versions()),
        hardware=_hardware(prepared, settings),
        notes=tuple(notes),
    )


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


def _network(network: NetworkSpec) -> NetworkFacts:
    return NetworkFacts(
        network.channels,
        network.cells,
        network.stages,
        network.image_size,
        network.input_channels,
        network.classes,
    )


def _hardware(prepared: Prepared, settings: StudySettings) -> Pairs:
    return (
        ("processor", processor()),
        ("training", f"{settings.compute.device}, {settings.compute.processes} processes"),
        ("latency", prepared.latency_device),
    )


def _pairs(content: Mapping[str, object]) -> Pairs:
    return tuple((name, str(value)) for name, value in content.items())


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None

"""Gathers how far an answer can be trusted: labels, predictor and latencies by themselves, and by ground truth."""

import numpy as np
import torch
from numpy.typing import NDArray

from surrogate_nas.data.classes.balance import images_behind
from surrogate_nas.predictor.fusion.agreement import agreement
from surrogate_nas.predictor.predictor import FittedPredictor
from surrogate_nas.predictor.training_set import SourceLabels
from surrogate_nas.report.facts.against_truth import TruthFacts
from surrogate_nas.report.facts.architectures import Estimate
from surrogate_nas.report.facts.reliability import BaselineFacts, LabelFacts, LatencyFacts, PredictorFacts, TrustFacts
from surrogate_nas.report.truth.judgement import judge_truth
from surrogate_nas.study.findings import FinalistChoice, SpaceScores, StudyLabels
from surrogate_nas.study.problem.label_folds import images_of_supernet, label_images, probes
from surrogate_nas.study.problem.problem import Problem

# Labels of one sub-supernet, fewer of which say too little about an order.
_ENOUGH_TO_AGREE = 20


def evidence_facts(
    problem: Problem, predictor: FittedPredictor, labels: StudyLabels, choice: FinalistChoice
) -> TrustFacts:
    """Returns the quality of labels, predictor and latencies by themselves."""
    evidence = predictor.cross_validation
    accuracy = labels.accuracy_percent
    settings = problem.settings
    held_out = torch.cat(label_images(settings, problem.splits, problem.plan.folds))
    behind = images_behind(held_out, by_class=problem.splits.balance)
    return TrustFacts(
        labels=LabelFacts(
            architectures=len(labels.codes),
            distinct_cells=len(np.unique(problem.space.canonical_keys(labels.codes))),
            images=len(held_out),
            lowest_percent=float(accuracy.min()),
            median_percent=float(np.median(accuracy)),
            highest_percent=float(accuracy.max()),
            error_percent=_sampling_error(float(np.median(accuracy)), behind),
            behind=behind,
            folds=problem.plan.folds,
            probed=probes(settings),
            validated=images_of_supernet(settings, problem.splits, problem.plan.folds),
        ),
        predictor=PredictorFacts(
            name=settings.predictor.model,
            tau=Estimate(_known(evidence.tau), _known(evidence.low), _known(evidence.high)),
            top10_tau=_known(evidence.top10_tau),
            top10_low=_known(evidence.top10_low),
            top10_high=_known(evidence.top10_high),
            regret_percent=_known(evidence.regret_percent),
            regret_low=_known(evidence.regret_low),
            regret_high=_known(evidence.regret_high),
            folds=settings.predictor.folds,
            coverage=_known(predictor.intervals.coverage),
            supernets=_agreements(problem, predictor, labels),
            labels_tau=None if predictor.fusion is None else _known(evidence.labels_tau),
            baselines=tuple(BaselineFacts(name, _known(tau)) for name, tau in evidence.baselines.items()),
        ),
        latency=_latency_facts(problem, choice),
    )


def _agreements(problem: Problem, predictor: FittedPredictor, labels: StudyLabels) -> tuple[BaselineFacts, ...]:
    """Returns the predictor's agreement with each sub-supernet's labels; empty if there are no two that labelled."""
    if probes(problem.settings):
        return ()
    members = problem.plan.member_of(labels.codes)
    values = labels.targets(predictor.settings.target)
    sources = {
        problem.plan.names[member]: SourceLabels(labels.codes[members == member], values[members == member])
        for member in np.unique(members).tolist()
        if (members == member).sum() >= _ENOUGH_TO_AGREE
    }
    if len(sources) < 2:
        return ()
    return tuple(BaselineFacts(name, _known(tau)) for name, tau in agreement(predictor, sources).items())


def _latency_facts(problem: Problem, choice: FinalistChoice) -> LatencyFacts | None:
    described = problem.table.describe()["latency_ms"]
    device = problem.latency_device
    if not choice.measured:
        return LatencyFacts(source=f"table {described['file']}", device=device, measured_here=False)
    noisy = sum(one.noisy for one in choice.measured)
    if not problem.knows_latency:
        source = "finalists measured whole, nothing predicted, as no budget asks for latency"
        return LatencyFacts(source, device, measured_here=True, networks=len(choice.measured), noisy_networks=noisy)
    measured = np.array([one.median_ms for one in choice.measured])
    errors = 100 * np.abs(problem.table.predictions.evaluate(choice.codes)["latency_ms"] / measured - 1)
    day = described["measured_to"][:10]
    return LatencyFacts(
        source=f"operations and {described['networks_measured']} whole networks, measured {day}",
        device=device,
        measured_here=True,
        networks=len(measured),
        median_error_percent=float(np.median(errors)),
        largest_error_percent=float(errors.max()),
        noisy_networks=noisy,
    )


def truth_facts(
    problem: Problem, predictor: FittedPredictor, scores: SpaceScores, labels: StudyLabels, choice: FinalistChoice
) -> TruthFacts | None:
    """Returns everything judged by ground truth, where there is any; nothing but the report sees this."""
    if problem.truth is None:
        return None
    values = labels.targets(predictor.settings.target)
    everywhere = np.full(len(problem.pool), np.nan)
    everywhere[problem.pool.rows(labels.codes)] = values

    def connected(score: NDArray[np.float64]) -> NDArray[np.float64]:
        # Every score is judged on the same architectures: those that compute something.
        return np.where(problem.connected, score, np.nan)

    counts = problem.counts(problem.codes)
    return judge_truth(
        problem.truth,
        problem.space,
        labels=everywhere,
        predicted=connected(scores.mean),
        baselines={name: connected(count) for name, count in counts.items()},
        feasible=problem.feasible,
        chosen=int(problem.pool.rows(choice.codes[[choice.chosen]])[0]),
        seed=problem.settings.seed,
    )


def _sampling_error(accuracy_percent: float, images: int) -> float:
    """Returns half the 95% interval of a share of so many images, percentage points (normal approximation)."""
    share = accuracy_percent / 100
    return float(196 * np.sqrt(share * (1 - share) / images))


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None

"""Judges how far the answer can be trusted, in plain sentences drawn from the facts.

The thresholds are leads from measurements on NAS-Bench-201 with CIFAR-10 images: supernets trained for fewer than
8,000 to 16,000 steps ranked worse than a parameter count, and predictors gained little beyond a few hundred labels. On
900 images of digits, 2,000, 4,000 and 8,000 steps ranked equally well.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from surrogate_nas._support.words import count_of
from surrogate_nas.costs.cost import COSTS, format_apart, percent_over
from surrogate_nas.report import few_images, formats
from surrogate_nas.report.comparison import fitting_text, found_wins, rival_wins, winner_text
from surrogate_nas.report.facts.against_rivals import RivalsFacts
from surrogate_nas.report.facts.against_truth import TruthFacts
from surrogate_nas.report.facts.architectures import AnswerFacts, CostFacts, Estimate
from surrogate_nas.report.facts.making import SupernetFacts
from surrogate_nas.report.facts.reliability import BaselineFacts, LabelFacts, LatencyFacts, PredictorFacts, TrustFacts
from surrogate_nas.report.facts.whole import StudyFacts

Level = Literal["good", "caution", "bad"]

AGAIN_ON_THE_DEVICE = (
    "Measure more networks on the device, such as with hardware export-bench --networks 100, and import them again"
)
"""The way on where a table's latencies are too uncertain: this machine cannot measure them."""

MIN_CELLS, ENOUGH_CELLS = 50, 200  # labelled architectures that differ
SHORT_STEPS, ENOUGH_STEPS = 8_000, 16_000  # optimizer steps of each set of weights, where images are many
FEW_IMAGES_STEPS, ENOUGH_PASSES = 2_000, 100  # where images are few: steps that see each of them so often are enough
CHANCE_SHARE = 0.05  # of the way from guessing a class to making no error
LOW_TOP_TAU = 0.2  # inside the best 10%
ENOUGH_FOR_BEST = 100  # distinct labelled architectures, of which the best 10% are ten
LOW_COVERAGE = 0.75  # of intervals that are to hold 80%
LOW_AGREEMENT = 0.4  # of the predictor with the labels of one sub-supernet
LATENCY_CAUTION_PERCENT, LATENCY_BAD_PERCENT = 10.0, 25.0  # median error of predicted latency
_ORDER: dict[Level, int] = {"bad": 0, "caution": 1, "good": 2}


@dataclass(frozen=True)
class Judgement:
    """One sentence or two, and how bad the news is."""

    level: Level
    text: str


def judgements(facts: StudyFacts) -> tuple[Judgement, ...]:
    """Returns all judgements of how far the answer can be trusted, the worst first."""
    found = list(_budget(facts.answer, facts.trust.latency if facts.trust else None))
    if facts.trust is not None:
        found += _shared_weights(facts, facts.trust)
        if facts.trust.latency is not None:
            found += _latency(facts.trust.latency)
    if facts.rivals is not None and facts.answer.chosen is not None:
        found += _rivals(facts.rivals, facts.answer.chosen.digits)
    if facts.truth is not None:
        found += _truth(facts.truth)
    return tuple(sorted(found, key=lambda judgement: _ORDER[judgement.level]))


def _shared_weights(facts: StudyFacts, trust: TrustFacts) -> Iterator[Judgement]:
    """Yields judgements of supernet, labels and predictor; they matter less where trained finalists decide."""
    found = list(_predictor(trust.predictor))
    trained = facts.answer.trained_networks
    if not trained and trust.labels.distinct_cells >= ENOUGH_FOR_BEST:
        found += _best(trust.predictor)
    found += _labels(trust.labels, len(facts.made.data.classes))
    found += _bias(facts.made.supernet, facts.made.data.train_images, trust.predictor.baselines, decides=not trained)
    if not trained:
        yield from found
        return
    classes, best = len(facts.made.data.classes), facts.answer.best_trained_percent
    if best is not None and near_guessing(best, classes):
        yield from found
        yield Judgement(
            "bad",
            f"The trained finalists reach {formats.percent(best)} at best, and guessing one of"
            f" {count_of(classes, 'class', 'classes')} gives {formats.percent(100 / classes)}: they are trained too"
            " briefly to decide anything. Set training.epochs higher, or training.batch_size lower.",
        )
        return
    yield from (replace(one, level="caution" if one.level == "bad" else one.level) for one in found)
    yield Judgement(
        "good",
        f"Trainings of {count_of(trained, 'finalist')} decide which architecture is the answer; the predictor only"
        " proposes what to train.",
    )


def _budget(answer: AnswerFacts, latency: LatencyFacts | None) -> Iterator[Judgement]:
    if answer.outcome == "infeasible" or answer.chosen is None:
        nothing = "No architecture of this space can meet the budget; nothing was chosen."
        yield Judgement("bad", uncertainty(answer) or nothing)
        return
    for cost in answer.chosen.costs:
        if cost.budget is not None:
            yield _one_budget(cost, cost.budget, latency)
            yield from _margin(cost, answer.measured_here)


def _rivals(rivals: RivalsFacts, digits: str) -> Iterator[Judgement]:
    """Yields which of the trained networks is better, and that none fits the budget where that is so."""
    text = winner_text(rivals, digits)
    if text:
        text = f"{text[0].upper()}{text[1:]}."
        level: Level = "caution" if rival_wins(rivals) or not found_wins(rivals) else "good"
        yield Judgement(level, text)
    elif not rivals.unknown and not any(one.fits for one in rivals.rivals):
        yield Judgement("good", fitting_text(rivals))


def too_uncertain(answer: AnswerFacts) -> bool:
    """Returns whether an architecture is predicted to meet every budget, and only confidence keeps all of them out."""
    predicted = [item.smallest if item.predicted is None else item.predicted for item in answer.smallest]
    within = [value <= item.budget for value, item in zip(predicted, answer.smallest, strict=True)]
    over = any(item.smallest > item.budget for item in answer.smallest)
    return answer.outcome == "infeasible" and over and all(within) and answer.predicted_to_meet


def uncertainty(answer: AnswerFacts) -> str:
    """Returns why nothing was chosen though a budget could be met, and what to do; empty where that is not so."""
    if not too_uncertain(answer):
        return ""
    item = next(item for item in answer.smallest if item.smallest > item.budget)
    assert item.predicted is not None
    added = 100 * (item.smallest / item.predicted - 1)
    why = ""
    if COSTS[item.cost].checked != "planned":
        why = " The machine was probably busy during the measurements."
        if not answer.measured_here:
            why = " The table rests on too few measurements, or on noisy ones."
    return (
        f"Some architectures are predicted to meet the budget (from {formats.cost(item.cost, item.predicted)} on), but"
        f" the prediction is too uncertain: confidence adds {added:.0f}%.{why} {surer(answer, '--resume')}, or accept"
        " less confidence, such as --confidence 0.8."
    )


def surer(answer: AnswerFacts, resume: str) -> str:
    """Returns what makes predictions surer where ``too_uncertain`` holds.

    Args:
        answer: The facts.
        resume: The words that continue the study.
    """
    item = next(item for item in answer.smallest if item.smallest > item.budget)
    if COSTS[item.cost].checked == "planned":
        return f"Plan more networks with {resume} --set hardware.whole_networks=120"
    if not answer.measured_here:
        return AGAIN_ON_THE_DEVICE
    return f"Measure latencies again on an idle machine with {resume} --set hardware.remeasure=true"


def _margin(cost: CostFacts, measured_here: bool) -> Iterator[Judgement]:
    """Yields a warning if confidence takes so much of a budget that better architectures are most likely left out."""
    if cost.upper is None or cost.confidence is None or not cost.predicted:
        return
    percent = 100 * (cost.upper / cost.predicted - 1)
    if percent > LATENCY_BAD_PERCENT:
        if COSTS[cost.cost].checked == "planned":
            again = "Plan more networks (hardware.whole_networks)."
        elif measured_here:
            again = (
                "Measure again on an idle machine with --resume --set hardware.remeasure=true, or measure more"
                " networks (hardware.whole_networks)."
            )
        else:
            again = f"{AGAIN_ON_THE_DEVICE}."
        yield Judgement(
            "caution",
            f"{formats.cost_name(cost.cost)} predictions are uncertain: {cost.confidence:.0%} confidence adds"
            f" {percent:.0f}%, so better architectures may fit the budget too. {again}",
        )


def _one_budget(cost: CostFacts, budget: float, latency: LatencyFacts | None) -> Judgement:
    name, limit = formats.cost_title(cost.cost), formats.cost(cost.cost, budget)
    was = f"was {COSTS[cost.cost].checked} at"
    if cost.measured is not None:
        value = formats.cost(cost.cost, cost.measured)
        excess = cost.measured / budget - 1
        noise = " The measurement was noisy: repeat it on a quiet machine." if cost.noisy else ""
        if cost.measured > budget:
            value, limit = format_apart(cost.cost, cost.measured, budget)
            return Judgement("bad", f"{name} {was} {value}, {percent_over(excess)} over the budget of {limit}.{noise}")
        level: Level = "caution" if cost.noisy else "good"
        if cost.upper is not None and cost.confidence is not None and cost.measured > cost.upper:
            upper = formats.cost(cost.cost, cost.upper)
            noise += f" The study predicted at most {upper}, with {cost.confidence:.0%} confidence."
            level = "caution"
        return Judgement(level, f"{name} {was} {value}, within the budget of {limit}.{noise}")
    value = formats.cost(cost.cost, cost.predicted)
    if COSTS[cost.cost].checked == "planned":
        source = f" by {cost.conditions}" if cost.conditions else " by the table"
        return Judgement("caution" if cost.conditions else "good", f"{name}: {value}{source}, within {limit}.")
    if COSTS[cost.cost].checked != "measured":
        source = "by the table" if cost.cost == "energy_mj" else "counted exactly"
        return Judgement("good", f"{name}: {value}, {source}, within the budget of {limit}.")
    source = f" by {latency.source}" if latency is not None and cost.cost == "latency_ms" else ""
    if cost.upper is not None and cost.confidence is not None:
        source += f" (at most {formats.cost(cost.cost, cost.upper)} with {cost.confidence:.0%} confidence)"
    return Judgement(
        "caution",
        f"{name} is {value}{source}, within the budget of {limit}, but this study did not measure it on the device.",
    )


def _predictor(predictor: PredictorFacts) -> Iterator[Judgement]:
    value, interval = predictor.tau.value, formats.tau_interval(predictor.tau)
    rivals = [baseline for baseline in predictor.baselines if baseline.tau is not None]
    best = max(rivals, key=lambda baseline: baseline.tau or 0.0, default=None)
    if value is None:
        yield Judgement("bad", "The predictor could not be judged: its rank correlation with the labels is undefined.")
    elif best is None or best.tau is None:
        yield Judgement("caution", f"The predictor's tau is {interval}; there is no baseline to compare it with.")
    elif value <= best.tau and predictor.labels_tau is not None and predictor.labels_tau > best.tau:
        yield Judgement(
            "caution",
            f"The predictor (tau {interval}) follows the labels less than a simple baseline does, {best.name} (tau"
            f" {formats.tau(best.tau)}). Its model of the labels alone has tau {formats.tau(predictor.labels_tau)}, so"
            " the labels disagree with what is known without them. Train a few networks to find out which is right.",
        )
    elif value <= best.tau:
        yield Judgement(
            "bad",
            f"The predictor (tau {interval}) orders architectures no better than their {best.name}"
            f" (tau {formats.tau(best.tau)}): its ranking adds nothing to that baseline.",
        )
    elif predictor.tau.low is not None and predictor.tau.low <= 0:
        yield Judgement(
            "bad",
            f"The predictor's order of unseen architectures may be chance (tau {interval}). Label more architectures,"
            " or train the supernet for longer.",
        )
    elif predictor.tau.low is not None and predictor.tau.low <= best.tau:
        yield Judgement(
            "caution",
            f"The predictor (tau {interval}) is ahead of the best simple baseline, {best.name} (tau"
            f" {formats.tau(best.tau)}), but by less than its uncertainty.",
        )
    else:
        yield Judgement(
            "good",
            f"The predictor orders unseen architectures by their labels with tau {interval}, clearly better than the"
            f" best simple baseline, {best.name} ({formats.tau(best.tau)}).",
        )
    yield from _details(predictor)


def _best(predictor: PredictorFacts) -> Iterator[Judgement]:
    """Yields a caution where the predictor does not order the best architectures, among which the answer is."""
    top = predictor.top10_tau
    if top is None or top < LOW_TOP_TAU:
        interval = formats.tau_interval(Estimate(top, predictor.top10_low, predictor.top10_high))
        figure = "could not be computed" if top is None else f"is {interval}"
        yield Judgement(
            "caution",
            f"The predictor separates good architectures from bad ones better than the best from the good: among the"
            f" best 10% by label its tau {figure}. Treat the finalists as equals and train several of them.",
        )


def _details(predictor: PredictorFacts) -> Iterator[Judgement]:
    if predictor.coverage is not None and predictor.coverage < LOW_COVERAGE:
        yield Judgement(
            "caution",
            f"Intervals are too narrow: the 80% intervals hold only {100 * predictor.coverage:.0f}% of unseen labels.",
        )
    for supernet in predictor.supernets:
        if supernet.tau is not None and supernet.tau < LOW_AGREEMENT:
            yield Judgement(
                "caution",
                f"Labels of the sub-supernet {supernet.name} disagree with the predictor (tau"
                f" {formats.tau(supernet.tau)}): one of the two is wrong; train a few networks to find out which.",
            )


def _labels(labels: LabelFacts, classes: int) -> Iterator[Judgement]:
    cells = f"{formats.count(labels.distinct_cells)} distinct architectures"
    if labels.distinct_cells < MIN_CELLS:
        yield Judgement("bad", f"Only {cells} are labelled: too few to learn from; label at least {ENOUGH_CELLS}.")
    elif labels.distinct_cells < ENOUGH_CELLS:
        yield Judgement("caution", f"Only {cells} are labelled; {ENOUGH_CELLS} or more make a steadier predictor.")
    if (doubt := few_images.doubt(labels)) is not None:
        yield Judgement("bad" if doubt[0] else "caution", doubt[1])
    guessing, median = 100 / classes, labels.median_percent
    if median is not None and near_guessing(median, classes):
        yield Judgement(
            "bad",
            f"Half of the labels are {formats.percent(median)} or less, and guessing one of {classes} classes gives"
            f" {formats.percent(guessing)}: {_unlearnt(labels)}",
        )


def near_guessing(percent: float, classes: int) -> bool:
    """Returns whether an accuracy is hardly above the one of guessing a class."""
    guessing = 100 / classes
    return percent < guessing + CHANCE_SHARE * (100 - guessing)


def _unlearnt(labels: LabelFacts) -> str:
    """Returns what labels near guessing mean, and what to do."""
    if labels.probed:
        return "the pretrained weights hardly know these images. Take larger images, or other weights."
    return (
        "the supernet has hardly learnt anything yet, so its labels hardly separate architectures. Train it for longer,"
        " or on larger images."
    )


def _bias(
    supernet: SupernetFacts, images: int, baselines: tuple[BaselineFacts, ...], *, decides: bool
) -> Iterator[Judgement]:
    """Judges whether the supernet was trained long enough; where finalists decide, there is nothing to change."""
    passes = supernet.steps * supernet.batch_size / max(images, 1)
    if not supernet.pretrained and (supernet.steps < FEW_IMAGES_STEPS or passes < ENOUGH_PASSES):
        yield from _short(supernet, decides=decides)
    backwards = [baseline for baseline in baselines if baseline.tau is not None and baseline.tau < 0]
    if backwards:
        worst = min(backwards, key=lambda baseline: baseline.tau or 0.0)
        yield Judgement(
            "caution",
            f"Labels fall as {worst.name} grow (tau {formats.tau(worst.tau)}). After full training the opposite is"
            " usual: a sign that the supernet is undertrained.",
        )


def _short(supernet: SupernetFacts, *, decides: bool) -> Iterator[Judgement]:
    steps = formats.count(supernet.steps)
    bias = "Briefly trained supernets favour small subnets, which learn fastest, and underrate large ones."
    if supernet.steps < SHORT_STEPS:
        yield Judgement(
            "bad",
            f"The supernet was trained for {steps} steps only. {bias} Below about {formats.count(SHORT_STEPS)} steps"
            " labels may rank architectures worse than a parameter count does, and no predictor can repair that."
            + (" Set supernet.steps higher." if decides else ""),
        )
    elif supernet.steps < ENOUGH_STEPS:
        yield Judgement(
            "caution",
            f"The supernet was trained for {steps} steps. {bias} Expect some of this below about"
            f" {formats.count(ENOUGH_STEPS)} steps.",
        )


def _truth(truth: TruthFacts) -> Iterator[Judgement]:
    """Judges the predictor against plain counts, by ground truth over the largest set of architectures."""
    ranks = [rank for rank in truth.ranks if rank.over == "whole space" and rank.tau.value is not None]
    predictor = next((rank for rank in ranks if rank.score == "predictor"), None)
    counts = [rank for rank in ranks if rank.score not in ("predictor", "labels")]
    if predictor is None or not counts:
        return
    best = max(counts, key=lambda rank: rank.tau.value or 0.0)
    figures = (
        f"By ground truth ({truth.column}) the predictor's tau is {formats.tau_interval(predictor.tau)}; the best"
        f" simple baseline ({best.score}) has {formats.tau(best.tau.value)}"
    )
    if (predictor.tau.value or 0.0) <= (best.tau.value or 0.0):
        yield Judgement("bad", f"{figures}. The baseline alone would have served better.")
    elif predictor.tau.low is not None and predictor.tau.low <= (best.tau.value or 0.0):
        yield Judgement("caution", f"{figures}. The predictor is ahead, but by less than its uncertainty.")
    else:
        yield Judgement("good", f"{figures}.")


def _latency(latency: LatencyFacts) -> Iterator[Judgement]:
    error = latency.median_error_percent
    if error is not None:
        networks = count_of(latency.networks, "network")
        text = f"Predicted latency was {error:.1f}% off the measured one (median of {networks})"
        if error > LATENCY_BAD_PERCENT:
            yield Judgement("bad", f"{text}: do not rely on predicted latencies.")
        elif error > LATENCY_CAUTION_PERCENT:
            yield Judgement("caution", f"{text}: leave a margin below the budget.")
        else:
            yield Judgement("good", f"{text}.")
    if latency.noisy_networks:
        yield Judgement(
            "caution",
            f"The machine was busy during {latency.noisy_networks} of"
            f" {count_of(latency.networks, 'latency measurement')}. Measure again when it is idle.",
        )

"""Shows before any training what the space costs, and how much of it meets the budgets."""

import numpy as np
import torch

from surrogate_nas._support.words import count_of
from surrogate_nas.costs.cost import COSTS, format_cost
from surrogate_nas.data.classes.balance import images_behind
from surrogate_nas.hardware.confidence import cautious
from surrogate_nas.hardware.planned.device_memory import COUNT_ERROR, LARGEST_COUNT_ERROR
from surrogate_nas.report.few_images import before_labels
from surrogate_nas.report.judgements import AGAIN_ON_THE_DEVICE, LATENCY_BAD_PERCENT
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.space.extremes import HasLargest
from surrogate_nas.study.problem.label_folds import judges_of, label_images, probes
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.report.supernet_words import branches_in_words, members_in_words

_HARDLY_BINDS = 0.98  # share of architectures within the budgets


def _conditions(problem: Problem, cost: str) -> str:
    described = problem.table.describe()[cost]
    return str(described["planner"]) if "planner" in described else problem.latency_conditions


def show_feasibility(problem: Problem, console: StudyConsole) -> None:
    """Prints the space's cost range next to the budgets, and the sizes of the two networks."""
    deployed, small = problem.deployed, problem.plan.network
    console.note(
        f"deployed network: {count_of(deployed.channels, 'channel')}, {count_of(deployed.cells, 'cell')} per stage,"
        f" {deployed.image_size}x{deployed.image_size} images; all costs are costs of this network"
    )
    console.note(
        f"supernet: {count_of(small.channels, 'channel')}, {count_of(small.cells, 'cell')} per stage,"
        f" {small.image_size}x{small.image_size} images; {members_in_words(problem)}"
    )
    if branches := branches_in_words(problem.plan):
        console.note(f"sub-supernets: {branches}")
    limits = {budget.cost: budget for budget in problem.budgets}
    typical, rows = problem.typical, []
    for cost, everywhere in problem.costs.items():
        values = everywhere[problem.connected]
        budget = limits.get(cost)
        meets = f"{np.mean(budget.violation(problem.bounds[cost][typical]) <= 0):.1%}" if budget else "-"
        limit = format_cost(cost, budget.limit) if budget else "-"
        middle = float(np.median(everywhere[typical]))
        range_ = [format_cost(cost, float(value)) for value in (values.min(), middle, values.max())]
        rows.append([cost, *range_, limit, meets])
    console.table(_title(problem), ["cost", "smallest", "median", "largest", "budget", "meet it"], rows)
    confidence = problem.settings.hardware.confidence
    for cost, errors in ((cost, problem.table.held_out_errors(cost)) for cost in problem.costs):
        if len(errors):
            share = cautious(np.ones(1), errors, confidence)[0] - 1
            console.note(
                f"{COSTS[cost].title} is predicted, for {_conditions(problem, cost)}; a margin of {share:.1%} is added,"
                f" so that {confidence:.0%} of architectures cost at most prediction and margin together (by the errors"
                f" of {count_of(len(errors), 'network')} left out of the fit)"
            )
            if cost == "latency_ms" and 100 * share > LATENCY_BAD_PERCENT:
                # No warning: timings of a test or a first try are short, and the report repeats it next to the answer.
                way_on = (
                    "the machine was probably busy while latencies were measured; measure them again when it is idle,"
                    " with --resume --set hardware.remeasure=true"
                    if problem.cost_model.can_measure
                    else f"{AGAIN_ON_THE_DEVICE[0].lower()}{AGAIN_ON_THE_DEVICE[1:]}"
                )
                console.note(f"a margin of {share:.0%} is large: {way_on}")
        elif problem.table.describe()[cost]["kind"] == "counted" and cost in COUNT_ERROR:
            console.note(
                f"{COSTS[cost].title} is counted, not planned: up to {100 * COUNT_ERROR[cost]:.0f}% off at the"
                f" median and {100 * LARGEST_COUNT_ERROR[cost]:.0f}% for single networks of TensorFlow Lite Micro;"
                " other runtimes differ by more. Set --planner tflite_micro, vela or executorch to be sure"
            )
    if not problem.knows_latency:
        console.note(
            "latency: finalists alone are measured, since no budget is on it; add --set hardware.latency=always to know"
            " it of every architecture"
        )
    if (whole := _whole_network(problem)) is not None:
        console.note(whole)
    elif problem.feasible[typical].mean() > _HARDLY_BINDS:
        console.note(
            "nearly every architecture meets the budget: a larger network may be more accurate within it, such as one"
            f" with --set network.channels={2 * deployed.channels}"
        )
    if len(problem.budgets) > 1:
        console.note(f"all budgets together: {problem.feasible[typical].mean():.1%} meet them")
    for text in problem.splits.notes:
        console.note(f"images: {text}")
    for text in problem.splits.warnings:
        console.warn(f"images: {text}")
    images = label_images(problem.settings, problem.splits, problem.plan.folds)
    if len(images) > 1:
        console.note(
            f"labels: cross-validated over {len(images)} folds (labels.folds): every supernet is trained once a fold,"
            f" and a label rests on {sum(map(len, images)):,} images instead of {len(images[0]):,}, each judged by a"
            " supernet that was not trained on it"
        )
    probed = probes(problem.settings)
    if probed:
        beside = ", and the accuracy in the supernet" if "supernet" in judges_of(problem.settings) else ""
        console.note(
            "labels: a linear classifier on the features that each architecture's part of the pretrained weights has,"
            f" with each of {sum(map(len, images)):,} images left out once{beside} (labels.judge)"
        )
    behind = images_behind(torch.cat(images), by_class=problem.splits.balance)
    if (few := before_labels(behind, probed or len(images) > 1)) is not None:
        console.warn(few)


def _whole_network(problem: Problem) -> str | None:
    """Returns what the network costs whose weights supernets begin with, and whether a search is needed at all."""
    if problem.first_weights is None or not isinstance(problem.space, HasLargest):
        return None
    costs = problem.cautious_costs.evaluate(problem.space.largest()[None])
    budgets = {budget.cost: budget for budget in problem.budgets}
    shown = " and ".join(
        f"{COSTS[cost].title} {format_cost(cost, float(costs[cost][0]))} (budget {format_cost(cost, budget.limit)})"
        for cost, budget in budgets.items()
    )
    if all(budget.violation(costs[cost])[0] <= 0 for cost, budget in budgets.items()):
        return (
            f"the whole network meets the budget: {shown}. Fine-tuning it may be all that you need. To search"
            " faster parts of it, set a smaller budget"
        )
    return f"the whole network is beyond the budget: {shown}. Its parts are searched"


def _title(problem: Problem) -> str:
    name = problem.space.name
    if problem.pool.complete:
        return f"Costs of the {problem.connected.sum():,} connected architectures of {name}"
    return (
        f"Costs of {name}, {problem.space.size:.3g} architectures: medians and shares of {problem.pool.uniform:,}"
        " random draws, smallest and largest by search"
    )

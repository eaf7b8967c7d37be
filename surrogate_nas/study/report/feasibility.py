"""Says before any training what the space costs, and how much of it meets the budgets."""

import numpy as np

from surrogate_nas._support.words import count_of
from surrogate_nas.costs.cost import COSTS, format_cost
from surrogate_nas.hardware.confidence import cautious
from surrogate_nas.report.judgements import LATENCY_BAD_PERCENT
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.supernet.plan import SupernetPlan


def _members(plan: SupernetPlan) -> str:
    """Returns how many sets of weights there are, and what they are for."""
    replicas = plan.settings.replicas
    times = f", {replicas} times over" if replicas > 1 else ""
    if plan.members_per_replica > 1:
        return f"{plan.members_per_replica} trained apart ({', '.join(plan.names)}){times}"
    one, drawn = "one for all architectures", plan.drawn_by.names
    return (one if len(drawn) == 1 else f"{one}, drawn by {', '.join(drawn)}") + times


def show_feasibility(problem: Problem, console: StudyConsole) -> None:
    """Prints the space's cost range beside the budgets, and the sizes of the two networks."""
    deployed, small = problem.deployed, problem.plan.network
    console.note(
        f"deployed network: {deployed.channels} channels, {count_of(deployed.cells, 'cell')} a stage, images"
        f" {deployed.image_size}x{deployed.image_size}; costs are of this one"
    )
    console.note(
        f"supernet: {small.channels} channels, {count_of(small.cells, 'cell')} a stage, images"
        f" {small.image_size}x{small.image_size}; {_members(problem.plan)}"
    )
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
                f"{COSTS[cost].title} is predicted, with {problem.latency_conditions}; {share:.1%} is added, so that"
                f" {confidence:.0%} of architectures keep it (errors of {len(errors)} networks left out of the fit)"
            )
            if 100 * share > LATENCY_BAD_PERCENT:
                # No warning: timings of a test or a first try are short, and the report says it beside the answer.
                console.note(
                    f"{share:.0%} is much: the machine was probably busy while latencies were measured; measure them"
                    " again when it is idle, with --resume --set hardware.remeasure=true"
                )
    if len(problem.budgets) > 1:
        console.note(f"all budgets together: {problem.feasible[typical].mean():.1%} meet them")
    for text in problem.splits.notes:
        console.note(f"images: {text}")
    for text in problem.splits.warnings:
        console.warn(f"images: {text}")


def _title(problem: Problem) -> str:
    name = problem.space.name
    if problem.pool.complete:
        return f"Costs over the {problem.connected.sum():,} connected architectures of {name}"
    return (
        f"Costs of {name}, {problem.space.size:.3g} architectures: medians and shares of {problem.pool.uniform:,}"
        " uniform draws, ends sought"
    )

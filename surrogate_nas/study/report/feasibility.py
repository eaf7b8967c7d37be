"""Says before any training what the space costs, and how much of it meets the budgets."""

import numpy as np

from surrogate_nas.costs.cost import COSTS, format_cost
from surrogate_nas.hardware.confidence import cautious
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.study.stages.prepare import Prepared
from surrogate_nas.supernet.plan import SupernetPlan


def _members(plan: SupernetPlan) -> str:
    """How many sets of weights there are, and what for."""
    replicas = plan.settings.replicas
    times = f", {replicas} times over" if replicas > 1 else ""
    if plan.members_per_replica > 1:
        return f"{plan.members_per_replica} trained apart ({', '.join(plan.names)}){times}"
    one, drawn = "one for all architectures", plan.drawn_by.names
    return (one if len(drawn) == 1 else f"{one}, drawn by {', '.join(drawn)}") + times


def show_feasibility(prepared: Prepared, console: StudyConsole) -> None:
    """Prints the space's cost range beside the budgets, and the sizes of the two networks."""
    deployed, small = prepared.deployed, prepared.plan.network
    console.note(
        f"deployed network: {deployed.channels} channels, {deployed.cells} cells a stage, images"
        f" {deployed.image_size}x{deployed.image_size}; costs are of this one"
    )
    console.note(
        f"supernet: {small.channels} channels, {small.cells} cells a stage, images"
        f" {small.image_size}x{small.image_size}; {_members(prepared.plan)}"
    )
    limits = {budget.cost: budget for budget in prepared.budgets}
    typical, rows = prepared.typical, []
    for cost, everywhere in prepared.costs.items():
        values = everywhere[prepared.connected]
        budget = limits.get(cost)
        meets = f"{np.mean(budget.violation(prepared.bounds[cost][typical]) <= 0):.1%}" if budget else "-"
        limit = format_cost(cost, budget.limit) if budget else "-"
        middle = float(np.median(everywhere[typical]))
        range_ = [format_cost(cost, float(value)) for value in (values.min(), middle, values.max())]
        rows.append([cost, *range_, limit, meets])
    console.table(_title(prepared), ["cost", "smallest", "median", "largest", "budget", "meet it"], rows)
    confidence = prepared.settings.hardware.confidence
    for cost, errors in ((cost, prepared.table.held_out_errors(cost)) for cost in prepared.costs):
        if len(errors):
            share = cautious(np.ones(1), errors, confidence)[0] - 1
            console.note(
                f"{COSTS[cost].title} is predicted; budgets are held against {share:.1%} more, which"
                f" {confidence:.0%} of architectures keep (errors of {len(errors)} networks left out of the fit)"
            )
    if len(prepared.budgets) > 1:
        console.note(f"all budgets together: {prepared.feasible[typical].mean():.1%} meet them")
    for text in prepared.splits.notes:
        console.note(f"images: {text}")


def _title(prepared: Prepared) -> str:
    name = prepared.space.name
    if prepared.pool.complete:
        return f"Costs over the {prepared.connected.sum():,} connected architectures of {name}"
    return (
        f"Costs of {name}, {prepared.space.size:.3g} architectures: medians and shares of {prepared.pool.uniform:,}"
        " uniform draws, ends sought"
    )

"""Gathers how a study was made for the report: networks, images, settings, times and versions."""

from collections.abc import Mapping, Sequence

import numpy as np

from surrogate_nas._support.words import count_of
from surrogate_nas.report.facts.making import (
    CostRange,
    DataFacts,
    MadeFacts,
    NetworkFacts,
    Pairs,
    SearchFacts,
    SpaceFacts,
    StageFacts,
    SupernetFacts,
)
from surrogate_nas.runs.environment import processor, versions
from surrogate_nas.runs.state import RunState
from surrogate_nas.search.result import SearchResult
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.report.supernet_words import branches_in_words, members_in_words

_STAGE_NAMES = {"winners": "finalists"}  # a run folder keeps the name that it always had


def provenance_facts(
    problem: Problem, commands: Sequence[str], state: RunState, result: SearchResult | None, notes: Sequence[str]
) -> MadeFacts:
    """Returns how the study was made.

    Args:
        problem: What was asked.
        commands: The command lines that began and continued the run, the last one is the present one.
        state: Of the run, which knows how long stages took.
        result: Of the search; None where there was none.
        notes: What a person should know.
    """
    settings = problem.settings
    return MadeFacts(
        space=SpaceFacts(
            problem.space.name,
            problem.space.fingerprint,
            problem.space.size,
            len(np.unique(problem.pool.representatives)) if problem.pool.complete else None,
            None if problem.pool.complete else problem.pool.uniform,
        ),
        deployed=_network(problem.deployed),
        supernet_network=_network(problem.plan.network),
        data=_data(problem),
        supernet=_supernet(problem),
        cost_ranges=_cost_ranges(problem),
        command=commands[-1],
        search=_search(problem, result) if result is not None else None,
        stages=_stages(state),
        predictor=_pairs(settings.predictor.model_dump()),
        seeds=(("study", str(settings.seed)),),
        versions=_pairs(versions()),
        hardware=_hardware(problem),
        notes=tuple(notes),
        earlier=tuple(commands[:-1]),
    )


def _stages(state: RunState) -> tuple[StageFacts, ...]:
    joules = state.joules()
    return tuple(
        StageFacts(_STAGE_NAMES.get(name, name), seconds, joules.get(name)) for name, seconds in state.seconds().items()
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


def _data(problem: Problem) -> DataFacts:
    data, splits = problem.settings.data, problem.splits
    return DataFacts(
        data.path or data.source, len(splits.train), len(splits.validation), splits.class_names, splits.fingerprint
    )


def _supernet(problem: Problem) -> SupernetFacts:
    plan, settings = problem.plan, problem.plan.settings
    return SupernetFacts(
        split=settings.split,
        members=members_in_words(problem),
        branches=branches_in_words(plan),
        groups=plan.split.groups if plan.is_known else plan.members_per_replica,
        sharing=plan.rules.sharing.words,
        sampling=settings.sampler,
        steps=max(plan.steps(member) for member in range(plan.members)),
        batch_size=settings.batch_size,
        pretrained=settings.weights_from is not None,
    )


def _cost_ranges(problem: Problem) -> tuple[CostRange, ...]:
    limits = {budget.cost: budget for budget in problem.budgets}
    ranges = []
    for cost, everywhere in problem.costs.items():
        values = everywhere[problem.connected]
        budget = limits.get(cost)
        typical = problem.typical
        feasible = int((budget.violation(problem.bounds[cost][typical]) <= 0).sum()) if budget else None
        low, middle, high = float(values.min()), float(np.median(everywhere[typical])), float(values.max())
        limit = budget.limit if budget else None
        ranges.append(CostRange(cost, low, middle, high, limit, feasible, int(typical.sum())))
    return tuple(ranges)


def _search(problem: Problem, result: SearchResult) -> SearchFacts:
    settings = problem.settings.search
    pairs = _pairs(settings.model_dump(exclude={"sampler", "trials"}))
    return SearchFacts(settings.sampler, len(result.codes), int(result.feasible.sum()), pairs)


def _hardware(problem: Problem) -> Pairs:
    compute = problem.settings.compute
    places = count_of(compute.processes or 1, "process", "processes")
    if compute.cluster:
        places = f"processes of a Ray cluster ({compute.cluster})"
    if compute.processes_per_supernet > 1:
        places += f", {compute.processes_per_supernet} for each supernet"
    return (
        ("processor", processor()),
        ("training", f"{compute.device}, {places}"),
        ("latency", problem.latency_conditions),
    )


def _pairs(content: Mapping[str, object]) -> Pairs:
    return tuple((name, _words(value)) for name, value in content.items())


def _words(value: object) -> str:
    """Returns a value of a setting as people write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value)) or "none"
    return "none" if value is None else str(value)

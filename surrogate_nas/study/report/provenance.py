"""How a study was made: networks, images, settings, times and versions, as the report shows them."""

from collections.abc import Mapping, Sequence

import numpy as np

from surrogate_nas.report.facts import (
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
from surrogate_nas.study.stages.prepare import Prepared

_SHARING = {"whole": "whole subnet", "depth": "depth-wise", "one": "one set of weights"}


def made_facts(
    prepared: Prepared,
    *,
    command: str,
    state: RunState,
    result: SearchResult | None,
    notes: Sequence[str],
) -> MadeFacts:
    """How the study was made."""
    settings = prepared.settings
    return MadeFacts(
        space=SpaceFacts(
            prepared.space.name,
            prepared.space.fingerprint,
            prepared.space.size,
            len(np.unique(prepared.pool.representatives)) if prepared.pool.complete else None,
            None if prepared.pool.complete else prepared.pool.uniform,
        ),
        deployed=_network(prepared.deployed),
        supernet_network=_network(prepared.plan.network),
        data=_data(prepared),
        supernet=_supernet(prepared),
        cost_ranges=_cost_ranges(prepared),
        command=command,
        search=_search(prepared, result) if result is not None else None,
        stages=_stages(state),
        predictor=_pairs(settings.predictor.model_dump()),
        seeds=(("study", str(settings.seed)),),
        versions=_pairs(versions()),
        hardware=_hardware(prepared),
        notes=tuple(notes),
    )


def _stages(state: RunState) -> tuple[StageFacts, ...]:
    joules = state.joules()
    return tuple(StageFacts(name, seconds, joules.get(name)) for name, seconds in state.seconds().items())


def _network(network: NetworkSpec) -> NetworkFacts:
    return NetworkFacts(
        network.channels,
        network.cells,
        network.stages,
        network.image_size,
        network.input_channels,
        network.classes,
    )


def _data(prepared: Prepared) -> DataFacts:
    data, splits = prepared.settings.data, prepared.splits
    return DataFacts(
        data.path or data.source, len(splits.train), len(splits.validation), splits.class_names, splits.fingerprint
    )


def _supernet(prepared: Prepared) -> SupernetFacts:
    settings, plan = prepared.settings.supernet, prepared.plan
    return SupernetFacts(
        split=f"{settings.split}: {', '.join(plan.names)}",
        groups=plan.split.groups if plan.is_known else plan.members_per_replica,
        sharing=_SHARING[settings.sharing],
        sampling=settings.sampler,
        steps=min(plan.steps(member) for member in range(plan.members)),
        batch_size=settings.batch_size,
    )


def _cost_ranges(prepared: Prepared) -> tuple[CostRange, ...]:
    limits = {budget.cost: budget for budget in prepared.budgets}
    ranges = []
    for cost, everywhere in prepared.costs.items():
        values = everywhere[prepared.connected]
        budget = limits.get(cost)
        typical = prepared.typical
        feasible = int((budget.violation(prepared.bounds[cost][typical]) <= 0).sum()) if budget else None
        low, middle, high = float(values.min()), float(np.median(everywhere[typical])), float(values.max())
        ranges.append(CostRange(cost, low, middle, high, budget.limit if budget else None, feasible))
    return tuple(ranges)


def _search(prepared: Prepared, result: SearchResult) -> SearchFacts:
    settings = prepared.settings.search
    pairs = _pairs(settings.model_dump(exclude={"sampler", "trials"}))
    return SearchFacts(settings.sampler, len(result.codes), int(result.feasible.sum()), pairs)


def _hardware(prepared: Prepared) -> Pairs:
    compute = prepared.settings.compute
    return (
        ("processor", processor()),
        ("training", f"{compute.device}, {compute.processes} processes"),
        ("latency", prepared.latency_device),
    )


def _pairs(content: Mapping[str, object]) -> Pairs:
    return tuple((name, _words(value)) for name, value in content.items())


def _words(value: object) -> str:
    """A value of a setting as people write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value)) or "none"
    return "none" if value is None else str(value)

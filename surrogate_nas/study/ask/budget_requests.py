"""Budgets on other devices than the study's own, and other budgets than its own: what they ask for."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.costs.budget import BudgetRequest
from surrogate_nas.costs.cost import COSTS, split_cost
from surrogate_nas.errors import BudgetError
from surrogate_nas.hardware.settings import HardwareSettings
from surrogate_nas.hardware.tables.partial import read_latencies
from surrogate_nas.hardware.tables.stored import StoredCosts
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.study.ask.own_device import on_own_device


def also_requests(settings: StudySettings) -> list[list[BudgetRequest]]:
    """Returns the other budgets, each a set that must hold together.

    Raises:
        BudgetError: If two of a set bound the same cost.
    """
    asked = []
    for one in settings.budget.also:
        own = [on_own_device(request, settings.hardware) for request in one.requests]
        if len({request.cost for request in own}) < len(own):
            raise BudgetError(
                f"--also-budget bounds one cost more than once (got {one.text!r}); give each a set of its own"
            )
        asked.append(own)
    return asked


def with_devices(table: StoredCosts, requests: list[BudgetRequest], settings: HardwareSettings) -> StoredCosts:
    """Returns the costs, with the costs of every device that a budget is on.

    Raises:
        BudgetError: If a budget names a device and there is no latency table.
        CostTableError: If the table has no such device.
        SpaceError: If the space is too large to list, for which there are no such tables.
    """
    space = table.pool.space
    missing = {}
    for request in requests:
        base, device = split_cost(request.cost)
        if device is None or request.cost in table.names:
            continue
        if not COSTS[base].on_devices or settings.latency_table is None:
            raise BudgetError(
                f"a budget on {device} needs a latency table with a column of that name: --latency-table FILE"
                f" (got {request.text!r})"
            )
        model = read_latencies(space, Path(settings.latency_table), device, settings.latency_unit)
        if base not in model.names:
            raise BudgetError(
                f"{COSTS[base].option} on {device} needs the column {device}_{base} of the latency table"
                f" (got {request.text!r})"
            )
        missing[request.cost] = model
    if not missing:
        return table
    codes = table.pool.codes
    values: dict[str, NDArray[np.float64]] = table.evaluate(codes)
    based = {name: split_cost(name)[0] for name in missing}
    extra = {name: model.evaluate(codes)[based[name]] for name, model in missing.items()}
    described = {name: model.describe()[based[name]] for name, model in missing.items()}
    return StoredCosts(
        table.pool,
        values | extra,
        {name: table.relative_error(name) for name in table.names} | dict.fromkeys(extra),
        table.describe() | described,
        {name: table.held_out_errors(name) for name in table.names}
        | {name: model.held_out_errors(based[name]) for name, model in missing.items()},
    )

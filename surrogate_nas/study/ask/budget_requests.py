"""Budgets on other devices than the study's own, and other budgets than its own: what they ask for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.costs.budget import BudgetRequest
from surrogate_nas.costs.cost import COSTS, split_cost
from surrogate_nas.errors import BudgetError, CostTableError
from surrogate_nas.hardware.cost_models import CompositeCosts
from surrogate_nas.hardware.protocol import CostSource
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


class _OfDevices:
    """Costs on several devices, each from a table.

    Args:
        models: The table of each cost, such as ``latency_ms[raspi4]``, which has it under the name of the cost alone.
    """

    def __init__(self, models: Mapping[str, CostSource]) -> None:
        self._models = {name: (split_cost(name)[0], model) for name, model in models.items()}
        self.names: tuple[str, ...] = tuple(models)

    def evaluate(self, codes: ArrayLike) -> dict[str, NDArray[np.float64]]:
        """Returns every cost, shape (N,), of codes (N, D)."""
        return {name: model.evaluate(codes)[base] for name, (base, model) in self._models.items()}

    def relative_error(self, cost: str) -> float | None:
        """Returns the median relative error to expect of a cost; None where it is unknown."""
        base, model = self._models[cost]
        return model.relative_error(base)

    def held_out_errors(self, cost: str) -> NDArray[np.float64]:
        """Returns measured / predicted - 1 of networks left out of the prediction, shape (M,)."""
        base, model = self._models[cost]
        return model.held_out_errors(base)

    def describe(self) -> dict[str, Any]:
        """Returns where the values of each cost come from."""
        return {name: model.describe()[base] for name, (base, model) in self._models.items()}


def with_devices(
    table: StoredCosts,
    requests: list[BudgetRequest],
    settings: HardwareSettings,
    model: CompositeCosts | None = None,
) -> StoredCosts:
    """Returns the costs, with the costs of every device that a budget is on.

    Args:
        table: Costs of a pool.
        requests: Budgets.
        settings: Table of the devices.
        model: Provides the table's costs outside the pool; None where all architectures are in it.

    Raises:
        BudgetError: If a budget names a device and there is no latency table.
        CostTableError: If the table has no such device.
        SpaceError: If the space is too large to list, for which there are no such tables.
    """
    space = table.pool.space
    missing = {}
    for request in requests:
        base, device = split_cost(request.cost)
        if device is None or (request.cost in table.names and settings.latency_table is None):
            continue
        if not COSTS[base].on_devices:
            raise BudgetError(
                f"{COSTS[base].option} names no other device (got {request.text!r}); bound the study's own device, or a"
                " cost that other devices have: " + ", ".join(one.option for one in COSTS.values() if one.on_devices)
            )
        if settings.latency_table is None:
            raise BudgetError(
                f"a budget on {device} needs a latency table with a column of that name: --latency-table FILE"
                f" (got {request.text!r})"
            )
        known = read_latencies(space, Path(settings.latency_table), device, settings.latency_unit)
        if base not in known.names:
            raise BudgetError(
                f"{COSTS[base].option} on {device} needs the column {device}_{base} of the latency table"
                f" (got {request.text!r})"
            )
        if request.cost not in table.names:
            missing[request.cost] = known
        elif not table.agrees_with(known, request.cost, base):
            raise CostTableError(
                f"{settings.latency_table}: {COSTS[base].title} on {device} has changed since this run began; use"
                " another --output-dir, or --overwrite to start over"
            )
    if not missing:
        return table
    devices = _OfDevices(missing)
    return table.joined(devices, None if model is None else model.joined(devices))

"""Budgets on the study's own device, which budgets may name and which they may set (no torch)."""

from surrogate_nas.costs.budget import BudgetRequest
from surrogate_nas.costs.cost import COSTS, split_cost
from surrogate_nas.errors import BudgetError
from surrogate_nas.hardware.settings import HardwareSettings
from surrogate_nas.runs.settings import StudySettings


def on_own_device(request: BudgetRequest, settings: HardwareSettings) -> BudgetRequest:
    """Returns requests in which a budget that names the study's own device is the same without the name."""
    base, device = split_cost(request.cost)
    if device is None or device != settings.device:
        return request
    return BudgetRequest(base, request.text, request.limit, request.percent)


def own_requests(settings: StudySettings) -> list[BudgetRequest]:
    """Returns the budgets of a study, each on another cost.

    Raises:
        BudgetError: If two bound the same cost, one of them by the name of the study's own device.
    """
    asked: dict[str, BudgetRequest] = {}
    for request in settings.budget.requests():
        own = on_own_device(request, settings.hardware)
        if own.cost in asked:
            kind = COSTS[own.cost]
            raise BudgetError(
                f"{kind.option} bounds the {kind.title} on {settings.hardware.device}, the study's own device, twice"
                f" (got {asked[own.cost].text} and {own.text}); keep one of them"
            )
        asked[own.cost] = own
    return list(asked.values())


def with_named_device(settings: StudySettings) -> StudySettings:
    """Returns settings with the first device that a budget names, where all name one and the study's is left open."""
    devices = [split_cost(request.cost)[1] for request in settings.budget.requests() if _is_latency(request)]
    hardware = settings.hardware
    if hardware.latency_table is None or hardware.device != "auto" or not devices or not all(devices):
        return settings
    return settings.model_copy(update={"hardware": hardware.model_copy(update={"device": devices[0]})})


def _is_latency(request: BudgetRequest) -> bool:
    return split_cost(request.cost)[0] == "latency_ms"

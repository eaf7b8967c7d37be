"""Settings of budgets: one for every cost that has budgets of its own."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, InstanceOf, PlainSerializer, create_model

from surrogate_nas.costs.budget import BudgetRequest, BudgetRequests, BudgetSet, parse_budget
from surrogate_nas.costs.cost import BOUNDED, COSTS

DEFAULT_BUDGET = "40%"
_STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
_AS_TEXT = PlainSerializer(lambda asked: asked.text, return_type=str)


def _requests(cost: str) -> Any:  # noqa: ANN401 - a type that pydantic reads
    """Returns the type of a setting: budgets on one cost, read from their text when the settings are."""

    def read(value: object) -> object:
        if isinstance(value, str):
            return BudgetRequests.parse(cost, value)
        if isinstance(value, BudgetRequests):
            return value
        raise ValueError(f"must be a text with a unit, such as {COSTS[cost].example!r}")

    return Annotated[InstanceOf[BudgetRequests], BeforeValidator(read), _AS_TEXT]


def _field(key: str) -> Any:  # noqa: ANN401 - as pydantic declares fields
    cost = COSTS[BOUNDED[key]]
    devices = f", or on devices pixel3={cost.example}, raspi4=40%" if cost.on_devices else ""
    description = f"{cost.bound}, such as {cost.example} or 40%{devices}."
    return _requests(BOUNDED[key]) | None, Field(default=None, description=description)


def _set(value: object) -> object:
    return BudgetSet.parse(value) if isinstance(value, str) else value


if TYPE_CHECKING:
    _Bounds = BaseModel
else:
    _Bounds = create_model("_Bounds", __config__=_STRICT, **{key: _field(key) for key in BOUNDED})


class BudgetSettings(_Bounds):
    """Upper bounds on costs: a number with its unit, or a percentile of the space's own costs."""

    model_config = _STRICT

    also: tuple[Annotated[InstanceOf[BudgetSet], BeforeValidator(_set), _AS_TEXT], ...] = Field(
        default=(), description="Other budgets to answer from the same study, such as 'latency=3ms; flops=50M'."
    )

    def requests(self) -> list[BudgetRequest]:
        """Returns the budgets that the user set, latency first; the default if there is none."""
        asked: list[BudgetRequests | None] = [getattr(self, key) for key in BOUNDED]
        found = [request for one in asked if one is not None for request in one.requests]
        return found or [parse_budget("latency_ms", DEFAULT_BUDGET)]

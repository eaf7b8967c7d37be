"""Budgets become objects when the settings are read, and texts when they are written."""

import re
from typing import Any

import pytest
from pydantic import ValidationError

from surrogate_nas.costs.budget import BudgetRequest
from surrogate_nas.costs.cost import BOUNDED, COSTS
from surrogate_nas.costs.settings import BudgetSettings


def bounds(**content: Any) -> BudgetSettings:  # noqa: ANN401 - whatever a file holds
    return BudgetSettings.model_validate(content)


def test_budgets_come_in_the_order_of_costs_and_default_to_a_percentile() -> None:
    requests = bounds(params="1M", latency="5ms").requests()
    assert [(request.cost, request.limit) for request in requests] == [("latency_ms", 5.0), ("params", 1e6)]
    (default,) = bounds().requests()
    assert (default.cost, default.percent) == ("latency_ms", 40.0)


def test_every_cost_with_a_budget_is_a_setting() -> None:
    assert list(BudgetSettings.model_fields) == [*BOUNDED, "also"]
    for key, name in BOUNDED.items():
        (request,) = bounds(**{key: COSTS[name].example}).requests()
        assert request.cost == name
        assert COSTS[name].example in (BudgetSettings.model_fields[key].description or "")


def test_they_are_written_as_they_were_read() -> None:
    content = {"latency": "pixel3=5ms,  raspi4=30ms", "flops": " 40% ", "also": ["latency=3ms; flops=50M"]}
    settings = bounds(**content)
    dumped = settings.model_dump(mode="json", exclude_none=True)
    assert dumped == content
    assert bounds(**dumped) == settings
    assert settings.also[0].requests == (
        BudgetRequest("latency_ms", "3ms", limit=3.0),
        BudgetRequest("flops", "50M", limit=5e7),
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"latency": "5"}, "--latency-budget needs a unit"),
        ({"latency": 5}, "must be a text with a unit, such as '5ms'"),
        ({"latency": "phone=5ms, phone=6ms"}, "more than once"),
        ({"latency": "=5ms"}, "DEVICE=5ms"),
        ({"also": ["3ms"]}, "--also-budget is written COST=BOUND"),
        ({"also": ["speed=3"]}, "--also-budget is written COST=BOUND"),
        ({"also": ["latency=3"]}, "--also-budget latency needs a unit"),
        ({"also": ["ram=3KB; ram=4KB"]}, "--also-budget bounds the RAM more than once"),
        ({"speed": "3ms"}, "Extra inputs"),
    ],
)
def test_what_is_no_budget_is_refused_when_it_is_read(content: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(message)):
        bounds(**content)

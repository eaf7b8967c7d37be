"""The study's own device and the budgets that name it."""

import pytest

from surrogate_nas.errors import BudgetError
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.study.ask.own_device import own_requests, with_named_device


def asked(latency: str, device: str = "auto", table: str | None = "t.csv") -> StudySettings:
    hardware = {"device": device, "latency_table": table}
    return StudySettings.model_validate({"name": "a", "budget": {"latency": latency}, "hardware": hardware})


def test_two_bounds_on_the_own_device_are_refused_whatever_they_call_it() -> None:
    assert [one.cost for one in own_requests(asked("5ms, board=7ms", "phone"))] == ["latency_ms", "latency_ms[board]"]
    with pytest.raises(BudgetError, match=r"on phone, the study's own device, twice \(got 5ms and 7ms\); keep one"):
        own_requests(asked("5ms, phone=7ms", "phone"))


def test_the_first_named_device_is_the_own_one_where_none_is_set() -> None:
    assert with_named_device(asked("phone=5ms, board=7ms")).hardware.device == "phone"
    for settings in (asked("5ms, board=7ms"), asked("phone=5ms", "board"), asked("phone=5ms", table=None)):
        assert with_named_device(settings) is settings

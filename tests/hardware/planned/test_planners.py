"""Planners are known by name, and need their packages and 8 bits."""

import importlib.util
import re
from dataclasses import replace
from typing import get_args

import pytest

from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.planned import planners
from surrogate_nas.hardware.planned.planners import PLANNERS, find_planner
from surrogate_nas.hardware.settings import HardwareSettings, PlannerName
from tests.package.test_metadata import PROJECT

INT8 = HardwareSettings(precision="int8")


def test_the_setting_offers_every_row() -> None:
    assert get_args(PlannerName) == ("none", *PLANNERS)
    assert find_planner(INT8) is None


@pytest.mark.parametrize("name", PLANNERS)
def test_a_missing_package_is_one_line_with_the_extra(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    extra = PLANNERS[name].extra
    with pytest.raises(
        SettingsError, match=rf"hardware\.planner {name} needs .*pip install 'surrogate_nas\[{extra}\]'"
    ):
        find_planner(INT8.model_copy(update={"planner": name}))
    assert extra in PROJECT["optional-dependencies"]


def test_networks_are_planned_in_8_bits_only(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=re.escape("(got hardware.precision float32); set --precision int8")):
        find_planner(HardwareSettings(planner="vela"))
    monkeypatch.setattr(planners, "PLANNERS", {"vela": replace(PLANNERS["vela"], packages={"no-such": "json"})})
    row = find_planner(INT8.model_copy(update={"planner": "vela"}))
    assert row is not None
    assert row.versions() == {"no-such": "unknown"}

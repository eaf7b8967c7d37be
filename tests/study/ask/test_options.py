"""Options become settings, the same from the command line and from Python."""

import re
from pathlib import Path

import pytest

from surrogate_nas.costs.cost import BOUNDED, COSTS
from surrogate_nas.errors import SettingsError
from surrogate_nas.study.ask.options import Options, overrides_of


@pytest.mark.parametrize(
    ("options", "overrides"),
    [
        ({}, {}),
        ({"latency_budget": None, "seed": None}, {}),
        ({"data": "digits"}, {"data.source": "digits", "data.path": None}),
        ({"data": Path("a") / "b"}, {"data.source": "folder", "data.path": "a/b"}),
        ({"latency_budget": "5ms"}, {"budget.latency": "5ms"}),
        ({"latency_budget": ["pixel3=5ms", "raspi4=30ms"]}, {"budget.latency": "pixel3=5ms, raspi4=30ms"}),
        ({"latency_budget": [], "flops_budget": "none"}, {"budget.latency": None, "budget.flops": None}),
        ({"also_budget": "latency=3ms"}, {"budget.also": ["latency=3ms"]}),
        ({"also_budget": ["latency=3ms", "flops=50M"]}, {"budget.also": ["latency=3ms", "flops=50M"]}),
        (
            {"confidence": 0.9, "trainings": 0, "seed": 0, "truth": Path("t.csv")},
            {"hardware.confidence": 0.9, "loop.trainings": 0, "seed": 0, "truth.file": "t.csv"},
        ),
    ],
)
def test_options_are_settings(options: Options, overrides: dict[str, object]) -> None:
    assert overrides_of(options) == overrides


def test_settings_refine_the_data() -> None:
    settings = {"data.path": "elsewhere"}
    assert overrides_of({"seed": 2, "data": "digits"}, settings) == {
        "data.source": "digits",
        "data.path": "elsewhere",
        "seed": 2,
    }


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"seed": 2}, "seed"),
        ({"latency_budget": "5ms"}, "budget.latency"),
        ({"weights": "a.pth"}, "supernet.weights_from"),
    ],
)
def test_what_is_said_twice_is_refused(options: Options, key: str) -> None:
    option = next(iter(options)).replace("_", "-")
    with pytest.raises(SettingsError, match=f"--{option} and --set {key} exclude each other; use one of them"):
        overrides_of(options, {key: "1"})


def test_an_unknown_option_lists_the_options() -> None:
    message = "unknown option 'latency'; choose from latency_table, latency_budget,"
    with pytest.raises(SettingsError, match=re.escape(message)):
        overrides_of({"latency": "5ms"})  # type: ignore[typeddict-unknown-key]


def test_every_cost_with_a_budget_is_an_option_that_type_checkers_know() -> None:
    assert {COSTS[name].keyword for name in BOUNDED.values()} <= set(Options.__annotations__)

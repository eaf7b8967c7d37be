"""Every cost of the table has its option, and a command gets what was given by the cost's key."""

from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from surrogate_nas.cli.budget_options import Budgets, with_budget_options
from surrogate_nas.costs import cost as module
from surrogate_nas.costs.cost import BOUNDED, COSTS, Cost


def app_of(seen: dict[str, object]) -> typer.Typer:
    app = typer.Typer(add_completion=False)

    def command(*, name: Annotated[str, typer.Argument()], budgets: Budgets, top: int = 1) -> None:
        seen.update(budgets, name=name, top=top)

    app.command()(with_budget_options(command))
    return app


def test_every_cost_has_an_option_and_its_place_among_the_others() -> None:
    seen: dict[str, object] = {}
    app = app_of(seen)
    words = [word for key, name in BOUNDED.items() for word in (COSTS[name].option, COSTS[name].example)]
    assert CliRunner().invoke(app, ["here", *words, "--top", "3"]).exit_code == 0
    assert seen == {key: COSTS[name].example for key, name in BOUNDED.items()} | {"name": "here", "top": 3}


def test_what_is_not_given_is_none() -> None:
    seen: dict[str, object] = {}
    assert CliRunner().invoke(app_of(seen), ["here"]).exit_code == 0
    assert {seen[key] for key in BOUNDED} == {None}


@pytest.mark.parametrize("key", BOUNDED)
def test_no_budget_that_is_given_again_is_lost(key: str) -> None:
    seen: dict[str, object] = {}
    option, example = COSTS[BOUNDED[key]].option, COSTS[BOUNDED[key]].example
    words = ["here", option, example, option, f"raspi4={example}"]
    assert CliRunner().invoke(app_of(seen), words).exit_code == 0
    assert seen[key] == f"{example}, raspi4={example}"


def test_a_new_row_is_a_new_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COSTS, "flash_bytes", Cost("flash", "flash", {"KB": 1e3}, "256KB", "bytes", "Largest file"))
    monkeypatch.setitem(module.BOUNDED, "flash", "flash_bytes")
    seen: dict[str, object] = {}
    assert CliRunner().invoke(app_of(seen), ["here", "--flash-budget", "256KB"]).exit_code == 0
    assert seen["flash"] == "256KB"


def test_an_empty_budget_is_one_that_the_command_sees() -> None:
    seen: dict[str, object] = {}
    assert CliRunner().invoke(app_of(seen), ["here", "--latency-budget", ""]).exit_code == 0
    assert seen["latency"] == ""

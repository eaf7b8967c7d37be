"""What is known before any training."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.costs.budgets import Budget
from surrogate_nas.errors import BudgetError, RunFolderError, SettingsError
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.runs.settings import BudgetSettings
from surrogate_nas.study.stages.prepare import CautiousCosts, Prepared, draw_architectures, prepare, store


def test_the_draw_follows_from_the_seed_alone(prepared: Prepared) -> None:
    space, settings = prepared.space, prepared.settings
    connected = prepared.codes[prepared.connected]
    drawn = draw_architectures(space, connected, settings)
    assert drawn.shape == (40, 6)
    assert len(np.unique(space.index(drawn))) == 40
    assert space.is_connected(drawn).all()
    np.testing.assert_array_equal(drawn, prepared.drawn)
    more = settings.model_copy(update={"labels": settings.labels.model_copy(update={"count": 100})})
    np.testing.assert_array_equal(draw_architectures(space, connected, more)[:40], drawn)
    other = settings.model_copy(update={"seed": 1})
    assert not np.array_equal(draw_architectures(space, connected, other), drawn)


def test_too_few_different_architectures_are_said_before_training(prepared: Prepared) -> None:
    alike = prepared.codes[prepared.connected][:1].repeat(40, axis=0)
    with pytest.raises(SettingsError, match=re.escape("(got 40 with 1)")):
        draw_architectures(prepared.space, alike, prepared.settings)


def test_feasible_is_connected_and_within_every_budget(prepared: Prepared) -> None:
    budgets = (Budget("flops", 40e3), Budget("params", 6e3))
    bound = replace(prepared, budgets=budgets)
    expected = [
        connected and flops <= 40e3 and params <= 6e3
        for connected, flops, params in zip(
            prepared.connected, prepared.costs["flops"], prepared.costs["params"], strict=True
        )
    ]
    assert 0 < sum(expected) < prepared.connected.sum()
    assert bound.feasible.tolist() == expected


def test_percentiles_are_of_connected_architectures(prepared: Prepared) -> None:
    (flops,) = [budget for budget in prepared.budgets if budget.cost == "flops"]
    values = prepared.costs["flops"][prepared.connected]
    assert flops.limit == np.percentile(values, 40, method="higher")


def test_preparing_changes_nothing_and_storing_twice_changes_nothing_more(prepared: Prepared, run_copy: Path) -> None:
    folder = RunFolder(run_copy)
    before = {path: path.stat().st_mtime_ns for path in run_copy.rglob("*")}
    again = prepare(prepared.settings, folder, StudyConsole(quiet=True), lambda: False)
    assert {path: path.stat().st_mtime_ns for path in run_copy.rglob("*")} == before
    store(again, folder)
    kept = [folder.costs, *folder.images.iterdir()]
    assert [path.stat().st_mtime_ns for path in kept] == [before[path] for path in kept]


def test_another_space_is_refused_before_anything_is_read(prepared: Prepared, run_copy: Path, tmp_path: Path) -> None:
    text = (run_copy / "space.toml").read_text(encoding="utf-8")
    other = tmp_path / "other.toml"
    other.write_text(text.replace(', "avg_pool_3x3"]', "]"), encoding="utf-8")
    assert other.read_text(encoding="utf-8") != text
    settings = prepared.settings.model_copy(update={"space": str(other)})
    with pytest.raises(RunFolderError, match="was begun with another space than"):
        prepare(settings, RunFolder(run_copy), StudyConsole(quiet=True), lambda: False)


def test_budgets_are_held_against_what_predictions_keep_with_confidence(prepared: Prepared) -> None:
    bold, cautious = (
        CautiousCosts(prepared.table, confidence).evaluate(prepared.codes)["latency_ms"] for confidence in (0.5, 0.95)
    )
    predicted = prepared.costs["latency_ms"]
    assert (predicted <= bold).all()
    assert (bold <= cautious).all()
    assert (predicted < cautious).all()
    np.testing.assert_array_equal(prepared.bounds["flops"], prepared.costs["flops"])
    limit = float(np.median(prepared.bounds["latency_ms"]))
    within = replace(prepared, budgets=(Budget("latency_ms", limit),)).feasible
    assert (prepared.bounds["latency_ms"][within] <= limit).all()


def test_a_budget_on_an_unknown_energy_names_the_remedy(prepared: Prepared, tmp_path: Path) -> None:
    settings = prepared.settings.model_copy(update={"budget": BudgetSettings(energy="5mJ")})
    with pytest.raises(BudgetError, match="--energy-budget needs costs of energy, which are not known here"):
        prepare(settings, RunFolder(tmp_path / "run"), StudyConsole(quiet=True), lambda: False)

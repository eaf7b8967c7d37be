"""Answers of the table against a search through plain rows."""

import math
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surrogate_nas.costs.budget import Budget
from surrogate_nas.errors import BudgetError, InfeasibleBudgetError, SettingsError, SurrogateNasError
from surrogate_nas.lookup.entry import Entry
from surrogate_nas.lookup.metadata import UNPROFILED, TableMetadata
from surrogate_nas.lookup.parquet_columns import ParquetColumns
from surrogate_nas.lookup.table import LookupTable

METADATA = TableMetadata(
    "toy", "0123", "cpu", 1, {"channels": 16}, primary_cost="latency_ms", created_with="0.1.0", seed=0
)


def hand_made(**changes: object) -> LookupTable:
    columns: dict[str, Any] = {
        "codes": ["000", "001", "010", "011", "100"],
        "architectures": ["a", "b", "c", "d", "e"],
        "canonical": ["000", "001", "010", "010", "100"],
        "score": [1.0, 5.0, 3.0, 3.0, 2.0],
        "predicted_accuracy_percent": [50.0, 90.0, 70.0, 70.0, 60.0],
        "accuracy_std_percent": [0.5] * 5,
        "costs": {"latency_ms": [1.0, 9.0, 4.0, 3.0, 6.0], "params": [10, 90, 40, 30, 20]},
        "labels": {"label_accuracy_percent": [np.nan, 91.0, np.nan, np.nan, np.nan]},
    }
    return LookupTable.build(METADATA, **(columns | changes))


def all_entries(table: LookupTable) -> list[Entry]:
    return [table.entry(row) for row in range(len(table))]


def codes(entries: list[Entry]) -> list[str]:
    return [entry.code for entry in entries]


def test_rows_are_sorted_by_score_then_by_the_primary_cost() -> None:
    assert codes(all_entries(hand_made())) == ["001", "011", "010", "100", "000"]


def test_an_entry_has_everything() -> None:
    assert hand_made().entry(0) == Entry(
        "001", "b", "001", 5.0, 90.0, 0.5, {"latency_ms": 9.0, "params": 90}, {"label_accuracy_percent": 91.0}, True
    )
    assert hand_made().entry(1).labels == {}


@pytest.mark.parametrize(
    ("budgets", "code"),
    [
        ({}, "001"),
        ({"latency_ms": 9}, "001"),
        ({"latency_ms": 8.99}, "011"),
        ({"latency_ms": "3ms"}, "011"),
        ({"latency_ms": "2999us"}, "000"),
        ({"latency_ms": 8, "params": 25}, "100"),
        ({"latency_ms": np.float32(9), "params": np.int64(25)}, "100"),
        ({"latency_ms": "60%"}, "011"),
    ],
)
def test_best(budgets: dict[str, Any], code: str) -> None:
    assert hand_made().best(**budgets).code == code


@settings(max_examples=10, deadline=None)
@given(st.floats(0.5, 12), st.floats(1e6, 1e8))
def test_answers_are_those_of_a_search_through_all_rows(table: LookupTable, latency: float, flops: float) -> None:
    within = [e for e in all_rows(table) if e.costs["latency_ms"] <= latency and e.costs["flops"] <= flops]
    budgets = [Budget("latency_ms", latency), Budget("flops", flops)]
    if not within:
        with pytest.raises(InfeasibleBudgetError):
            table.best_for(budgets)
        return
    best = table.best_for(budgets)
    assert best.score == max(entry.score for entry in within)
    assert best == table.best(latency_ms=latency, flops=flops)
    first_of_each: dict[str, Entry] = {}
    for entry in sorted(within, key=lambda entry: -entry.score):
        first_of_each.setdefault(entry.canonical, entry)
    assert table.top(7, budgets) == list(first_of_each.values())[:7]
    front = table.pareto(budgets=budgets)
    not_beaten = [
        e
        for e in within
        if not any(o.score > e.score and o.costs["latency_ms"] <= e.costs["latency_ms"] for o in within)
    ]
    assert {entry.canonical for entry in front} == {entry.canonical for entry in not_beaten}
    assert [e.costs["latency_ms"] for e in front] == sorted(e.costs["latency_ms"] for e in front)


CACHE: list[Entry] = []


def all_rows(table: LookupTable) -> list[Entry]:
    if not CACHE:
        CACHE.extend(all_entries(table))
    return CACHE


def test_top_lists_what_computes_the_same_once() -> None:
    assert codes(hand_made().top(10)) == ["001", "011", "100", "000"]
    assert codes(hand_made().top(2, [Budget("params", 30)])) == ["011", "100"]


def test_the_front_of_any_cost() -> None:
    table = hand_made()
    assert codes(table.pareto()) == ["000", "011", "001"]
    assert [entry.pareto for entry in all_entries(table)] == [True, True, False, False, True]
    assert codes(table.pareto("params")) == ["000", "100", "011", "001"]
    assert codes(table.pareto(budgets=[Budget("latency_ms", 5)])) == ["000", "011"]
    with pytest.raises(BudgetError, match=re.escape("no FLOPs (multiply-accumulates); it has latency, parameters")):
        table.pareto("flops")


def test_near_lists_what_is_better_or_cheaper_by_few_changes() -> None:
    table = hand_made()
    # 010 and 011 compute the same; 100 is worse and dearer.
    assert [(one.entry.code, one.changed) for one in table.near("010")] == [("000", (1,)), ("001", (1, 2))]
    nearest = table.near("010", 1)[0]
    assert (nearest.accuracy_gain_percent, nearest.cost_change) == (-20.0, -3.0)
    assert [one.entry.code for one in table.near("010", budgets=[Budget("params", 30)])] == ["000"]
    assert [one.entry.code for one in table.near("100", most_changes=1)] == ["000"]
    for wrong in ("01", "0100", "01é"):
        with pytest.raises(SettingsError, match=re.escape(f"has 3 digits (got {wrong!r})")):
            table.near(wrong)
    with pytest.raises(SettingsError, match="has no architecture 111; the nearest is 011"):
        table.near("111")


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 4999), st.floats(1.2, 9))
def test_neighbours_are_those_of_a_search_through_all_rows(table: LookupTable, number: int, latency: float) -> None:
    code = f"{number:04d}"
    own = next(entry for entry in all_rows(table) if entry.code == code)
    wanted = [
        (sum(a != b for a, b in zip(entry.code, code, strict=True)), row, entry)
        for row, entry in enumerate(all_rows(table))
        if (entry.score > own.score or entry.costs["latency_ms"] < own.costs["latency_ms"])
        and entry.costs["latency_ms"] <= latency
        and entry.canonical != own.canonical
    ]
    expected: dict[str, str] = {}
    for _, _, entry in sorted(wanted, key=lambda one: one[:2]):
        expected.setdefault(entry.canonical, entry.code)
    found = table.near(code, 8, [Budget("latency_ms", latency)])
    assert [one.entry.code for one in found] == list(expected.values())[:8]


def test_nothing_within_the_budget_tells_what_is_reachable() -> None:
    with pytest.raises(InfeasibleBudgetError) as caught:
        hand_made().best(latency_ms=0.5)
    message = str(caught.value)
    assert "latency at most 0.5 ms" in message
    assert "the smallest reachable is 1 ms" in message
    assert "nearest misses: 000 (1 ms, accuracy 50.00 %); 011 (3 ms, accuracy 70.00 %);" in message
    assert "\n" not in message


def test_budgets_that_only_fail_together() -> None:
    budgets = [Budget("latency_ms", 3.5), Budget("params", 9)]
    table = hand_made()
    for ask in (table.best_for, lambda asked: table.top(3, asked), lambda asked: table.pareto(budgets=asked)):
        with pytest.raises(InfeasibleBudgetError, match=re.escape("latency at most 3.5 ms and parameters at most 9;")):
            ask(budgets)
    assert codes(table.nearest_misses(budgets, 1)) == ["000"]


@pytest.mark.parametrize(
    ("budgets", "message"),
    [
        ({"flops": 1e6}, "no FLOPs (multiply-accumulates); it has latency, parameters"),
        ({"latency_ms": "3"}, "needs a unit"),
        ({"latency_ms": 0}, "the budget on latency_ms must be a finite number above zero (got 0)"),
        ({"latency_ms": float("nan")}, "above zero (got nan)"),
        ({"latency_ms": True}, "must be a number or a text such as '5ms' (got True)"),
        ({"latency_ms": np.bool_(True)}, "must be a number or a text"),
        ({"latency_ms": [3]}, "must be a number or a text such as '5ms' (got [3])"),
        (
            {"latency_ms": None},
            "the budget on latency_ms must be a number or a text such as '5ms' (got None)",
        ),
        ({"latency_ms": None, "params": 25}, "(got None); leave it out for no limit"),
        ({"latency_ms": "4ms, 7ms"}, "--latency-budget bounds the latency more than once"),
        ({"latency_ms": "4ms, cpu=7ms"}, "the latency is bounded more than once; give one budget"),
        ({"latency_ms": "raspi4=5ms"}, "no latency of 'raspi4'; it has that of cpu: write --latency-budget cpu=5ms"),
    ],
)
def test_a_wrong_budget_is_refused(budgets: dict[str, Any], message: str) -> None:
    with pytest.raises(BudgetError, match=re.escape(message)):
        hand_made().best(**budgets)


def test_the_own_device_may_be_named() -> None:
    assert hand_made().best(latency_ms="cpu=5ms") == hand_made().best(latency_ms="5ms")
    assert hand_made().best(latency_ms="cpu=60%") == hand_made().best(latency_ms="60%")


def test_neighbours_within_a_budget_that_nothing_meets_are_an_outcome_of_their_own() -> None:
    with pytest.raises(InfeasibleBudgetError, match=r"latency at most 0\.5 ms"):
        hand_made().near("001", budgets=[Budget("latency_ms", 0.5)])


def test_an_architecture_is_found_by_its_code() -> None:
    table = hand_made()
    assert [table.find(entry.code) for entry in all_entries(table)] == all_entries(table)
    with pytest.raises(SettingsError, match="has no architecture 211; the nearest is 011"):
        table.find("211")


def test_columns_by_name() -> None:
    table = hand_made()
    assert table.column("latency_ms").tolist() == [9, 3, 4, 6, 1]
    assert table.column("params").tolist() == [90, 30, 40, 20, 10]
    assert table.column("pareto").tolist() == [True, True, False, False, True]
    np.testing.assert_array_equal(table.column("label_accuracy_percent"), [91] + [np.nan] * 4)
    with pytest.raises(SettingsError, match=re.escape("no column 'code'; it has score,")):
        table.column("code")
    with pytest.raises(SettingsError, match=re.escape("at least 1 (got 0)")):
        table.top(0)


def test_roundtrip_through_files(table: LookupTable, tmp_path: Path) -> None:
    table.write(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lookup.csv", "lookup.json", "lookup.parquet"]
    for path in (tmp_path, tmp_path / "lookup.parquet", tmp_path / "lookup.json"):
        again = LookupTable.load(path)
        assert again.metadata == table.metadata
        assert len(again) == len(table)
        assert all_entries(again) == all_rows(table)
        for name in (*table.costs, *table.labels, "score", "pareto"):
            np.testing.assert_array_equal(again.column(name), table.column(name))


def test_a_table_of_the_first_version_is_read() -> None:
    stored = LookupTable.load(Path(__file__).parent / "assets" / "version_1")
    assert all_entries(stored) == all_entries(hand_made())
    assert stored.metadata == METADATA


def test_an_open_table_outlives_its_files(table: LookupTable, tmp_path: Path) -> None:
    table.write(tmp_path)
    opened = LookupTable.load(tmp_path)
    hand_made().write(tmp_path)
    assert opened.best(latency_ms=4) == table.best(latency_ms=4)
    assert len(LookupTable.load(tmp_path)) == 5


def test_it_is_light(table: LookupTable, tmp_path: Path) -> None:
    table.write(tmp_path)
    heavy = ("torch", "optuna", "sklearn", "scipy", "plotly", "pandas", "h5py", "typer", "rich", "pydantic")
    program = f"""
import sys
from pathlib import Path
from surrogate_nas.lookup.table import LookupTable
table = LookupTable.load(Path(sys.argv[1]))
print(table.best(latency_ms=4, flops="40%").code, len(table.pareto()) > 1, len(table.near("0042", 3)))
table.column("label_accuracy_percent"), table.column("pareto")
print([name for name in {heavy} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"{table.best(latency_ms=4, flops='40%').code} True 3", "[]"]


def test_a_file_is_read_once_and_an_answer_makes_the_rows_that_it_names(
    table: LookupTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # How many seconds that takes is measured by benchmarks.lookup.
    files, row_of = Mock(wraps=pq.ParquetFile), ParquetColumns.row
    rows: list[int] = []

    def counted(columns: ParquetColumns, row: int) -> dict[str, Any]:
        rows.append(row)
        return row_of(columns, row)

    table.write(tmp_path)
    monkeypatch.setattr(pq, "ParquetFile", files)
    monkeypatch.setattr(ParquetColumns, "row", counted)
    opened = LookupTable.load(tmp_path)
    assert (files.call_count, rows) == (1, [])
    for limit in np.linspace(2, 8, 30):
        opened.best(latency_ms=float(limit))
    assert len(rows) == 30
    rows.clear()
    assert len(opened.near("0042", 3)) == 3
    assert 4 <= len(rows) <= 4 + 3  # the architecture, its neighbours, and those that compute the same
    assert files.call_count == 1


def test_the_primary_cost_must_be_there() -> None:
    columns: dict[str, Any] = {name: ["0"] for name in ("codes", "architectures", "canonical")}
    columns |= {name: [1.0] for name in ("score", "predicted_accuracy_percent", "accuracy_std_percent")}
    with pytest.raises(SettingsError, match=re.escape("one of latency_ms (got 'flops')")):
        LookupTable.build(replace(METADATA, primary_cost="flops"), **columns, costs={"latency_ms": [1.0]})


@pytest.mark.parametrize("label_error", [0.0, 3.0])
def test_the_interval_holds_the_error_of_labels_as_well(table: LookupTable, label_error: float) -> None:
    entry = table.top(1)[0]
    half = 1.96 * math.hypot(entry.accuracy_std_percent, label_error)
    known = LookupTable(replace(table.metadata, label_error_percent=label_error), table._columns)
    assert known.half_interval_percent(entry) == pytest.approx(half)
    assert table.half_interval_percent(entry) is None  # as in tables of former versions


def test_a_latency_that_was_not_profiled_is_refused_with_the_way_on(tmp_path: Path) -> None:
    about = replace(METADATA, primary_cost="params", notes={UNPROFILED: "measured of finalists alone"})
    table = LookupTable.build(
        about,
        codes=["0", "1"],
        architectures=["a", "b"],
        canonical=["0", "1"],
        score=[1.0, 2.0],
        predicted_accuracy_percent=[50.0, 60.0],
        accuracy_std_percent=[0.5, 0.5],
        costs={"params": [10, 20]},
    )
    table.write(tmp_path)
    read = LookupTable.load(tmp_path)
    way_on = (
        rf"profile it with: .*study --output-dir {re.escape(str(tmp_path))} --resume --set hardware.latency=always$"
    )
    for ask in (
        lambda: read.best(latency_ms="3ms"),
        lambda: read.best(latency_ms=3),
        lambda: read.pareto("latency_ms"),
    ):
        with pytest.raises(BudgetError, match=rf"^the lookup table has no latency, .* of finalists alone; {way_on}"):
            ask()
    with pytest.raises(BudgetError, match=re.escape("has no FLOPs (multiply-accumulates); it has parameters")):
        read.best(flops="1M")
    assert read.best(params="1M").code == "1"


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda table: table.entry(-1), "rows of the lookup table are 0 to 4 (got -1)"),
        (lambda table: table.entry(5), "rows of the lookup table are 0 to 4 (got 5)"),
        (lambda table: table.top(2.5), "the number of architectures of a lookup table is a whole number (got 2.5)"),
        (lambda table: table.top("3"), "a whole number (got '3')"),
        (lambda table: table.near("000", 0), "must be at least 1 (got 0)"),
        (lambda table: table.near("000", most_changes=-1), "most_changes must be at least 0 (got -1)"),
        (lambda table: table.near("000", most_changes=1.5), "most_changes of a lookup table is a whole number"),
        (lambda table: table.top(3, {"latency_ms": 5}), "budgets here are what resolve returns"),
        (lambda table: table.pareto(budgets=["5ms"]), "budgets here are what resolve returns"),
    ],
)
def test_what_cannot_be_asked_is_refused(ask: Callable[[LookupTable], object], message: str) -> None:
    with pytest.raises(SurrogateNasError, match=re.escape(message)):
        ask(hand_made())
    assert hand_made().top(np.int64(2))  # type: ignore[arg-type]

"""Budgets that nothing meets are reported before any training."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from surrogate_nas._support.files import write_json
from surrogate_nas.errors import RunFolderError
from surrogate_nas.lookup.table import LookupTable
from surrogate_nas.space.load import load_space
from tests.study.command_words import error_line

RunHere = Callable[..., tuple[int, str, str]]


def test_an_infeasible_budget_is_said_before_any_training(
    tiny: Path, faster: tuple[str, ...], tmp_path: Path, here: RunHere
) -> None:
    folder = tmp_path / "run"
    words = ("--output-dir", folder, *faster)
    code, out, errors = here(tiny, *words, "--params-budget", "1K", "--flops-budget", "40%")
    assert code == 3
    assert "no architecture of the space meets the budget" in error_line(errors)
    assert "\nsmallest " in out
    assert not (folder / "supernets").exists()
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["answer"]["outcome"] == "infeasible"
    smallest = {item["cost"]: item for item in report["answer"]["smallest"]}
    assert smallest["params"]["budget"] == 1000 < smallest["params"]["smallest"]
    assert (folder / "report.html").stat().st_size > 1000
    code, out, errors = here("--output-dir", folder, "--resume", "--json", "--params-budget", "1K")
    assert code == 3
    assert json.loads(out)["answer"]["outcome"] == "infeasible"
    assert here("--output-dir", folder, "--resume", "--params-budget", "60%", "--quiet")[0] == 0
    best = json.loads((folder / "best" / "architecture.json").read_text(encoding="utf-8"))
    assert set(best["budgets"]) == {"flops", "params"}
    assert best["costs"]["params"] <= best["budgets"]["params"]
    # The answer to former budgets does not stay next to a report that says that there is none.
    assert here("--output-dir", folder, "--resume", "--params-budget", "1K", "--quiet")[0] == 3
    assert not (folder / "best").exists()


def test_budgets_that_exclude_each_other_are_said_with_what_comes_nearest(
    tiny: Path, tmp_path: Path, here: RunHere
) -> None:
    """Quick on one device is slow on the other: each budget can be met, both cannot."""
    codes = load_space("nasbench201").all_codes()
    digits, places = load_space("nasbench201").digits(codes), range(1, len(codes) + 1)
    lines = [f"{code},{1 + at / 1000},{20 - at / 1000}" for code, at in zip(digits, places, strict=True)]
    table, folder = tmp_path / "table.csv", tmp_path / "run"
    table.write_text("\n".join(["code,one,other", *lines]), encoding="utf-8")
    words = ("--latency-table", table, "--device", "one", "--set", "compute.processes=1", "--output-dir", folder)
    code, out, errors = here(tiny, *words, "--latency-budget", "one=5ms", "--latency-budget", "other=10ms")
    assert code == 3
    assert "no architecture of the space meets the budget" in error_line(errors)
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))["answer"]
    assert report["outcome"] == "infeasible"
    assert len(report["nearest_misses"]) == 5
    assert "\nnearest " in out
    assert "each budget can be met alone, but not all of them" in out
    assert not (folder / "supernets").exists()


@pytest.mark.slow
def test_a_table_of_other_costs_does_not_outlive_them(run_copy: Path, here: RunHere) -> None:
    """Nothing meets the budget with the new costs, and the table of the former ones would answer otherwise."""
    assert (run_copy / "lookup.parquet").exists()
    words = ("--set", "hardware.backend=eager", "--latency-budget", "1us", "--quiet")
    assert here("--output-dir", run_copy, "--resume", *words)[0] == 3
    assert not (run_copy / "lookup.parquet").exists()
    with pytest.raises(RunFolderError, match=r"no architecture met the budget; add a larger one to: .* --resume$"):
        LookupTable.load(run_copy)
    # A report of before says nothing about a study that was stopped on its way to new costs.
    report = json.loads((run_copy / "report.json").read_text(encoding="utf-8"))
    report["answer"]["outcome"] = "met"
    write_json(run_copy / "report.json", report)
    with pytest.raises(RunFolderError, match=r"has no lookup table yet; the study writes it: .* --resume$"):
        LookupTable.load(run_copy)

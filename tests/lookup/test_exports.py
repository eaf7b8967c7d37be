"""Every export by name, and what is in the way."""

import re
from pathlib import Path

import pytest

from surrogate_nas.errors import InfeasibleBudgetError, RunFolderError, SettingsError
from surrogate_nas.lookup.exports import EXPORTS, export
from surrogate_nas.lookup.table import LookupTable


@pytest.mark.parametrize("kind", EXPORTS)
def test_files_are_replaced_only_on_request(kind: str, table: LookupTable, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("mine")
    with pytest.raises(RunFolderError, match=re.escape(f"{path} is in the way")):
        export(table, kind, path)
    assert path.read_text() == "mine"
    assert export(table, kind, path, overwrite=True) > 0
    assert len(path.read_bytes()) > 1000


@pytest.mark.parametrize("kind", ["c-header", "json"])
def test_a_budget_that_nothing_meets_writes_nothing(kind: str, table: LookupTable, tmp_path: Path) -> None:
    with pytest.raises(InfeasibleBudgetError):
        export(table, kind, tmp_path / "file", table.resolve(latency_ms="1us"))
    assert not (tmp_path / "file").exists()


def test_an_unknown_kind_lists_the_kinds(table: LookupTable, tmp_path: Path) -> None:
    with pytest.raises(
        SettingsError, match=re.escape("unknown export 'xml'; choose from sqlite, c-header, c-header-float")
    ):
        export(table, "xml", tmp_path / "file")


def test_files_of_a_run_are_never_replaced(table: LookupTable, tmp_path: Path) -> None:
    for name in ("study.toml", "environment.json", "lookup.json"):
        (tmp_path / name).write_text("the run's")
    with pytest.raises(RunFolderError, match=r"lookup\.json is a file of a run, which would be lost"):
        export(table, "json", tmp_path / "lookup.json", overwrite=True)
    assert (tmp_path / "lookup.json").read_text() == "the run's"
    assert export(table, "json", tmp_path / "mine.json", overwrite=True) > 0

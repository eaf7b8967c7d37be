"""A study from Python against the same one from the command line."""

import threading
from pathlib import Path

import pytest

from surrogate_nas import LookupTable, Study, StudyResult
from surrogate_nas.errors import InfeasibleBudgetError, RunFolderError, SettingsError
from surrogate_nas.runs.study_file import read_resolved
from tests.fixtures.one_process import one_process


def test_python_and_the_command_line_do_the_same(
    tiny: Path, finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    with one_process():
        result = Study(str(tiny), output_dir=folder, quiet=True, latency_budget="1s", flops_budget="40%").run()
    printed, said = capsys.readouterr()
    assert printed == ""
    assert all(line.startswith("warning: ") for line in said.splitlines())
    assert read_resolved(folder / "study.toml", {}) == read_resolved(finished / "study.toml", {})
    assert (folder / "lookup.csv").read_bytes() == (finished / "lookup.csv").read_bytes()
    assert result.best == LookupTable.load(finished).find(result.table.metadata.answer or "")
    assert result.report.answer.chosen is not None
    assert result.report.answer.chosen.digits == result.best.code
    assert result.page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert result.report.made.command.endswith(f"{folder}/study.toml --output-dir {folder}-again")


def test_a_finished_run_is_read_and_answered_again(finished: Path, run_copy: Path) -> None:
    result = StudyResult.load(finished)
    assert result.best.code == result.table.metadata.answer
    # From another thread, where no signals arrive: nothing is left to do but to search again.
    found: list[StudyResult] = []
    study = Study(output_dir=run_copy, resume=True, quiet=True, flops_budget="20%")
    thread = threading.Thread(target=lambda: found.append(study.run()))
    thread.start()
    thread.join()
    assert found[0].best.costs["flops"] <= result.best.costs["flops"]


def test_a_budget_that_nothing_meets_still_leaves_a_report(run_copy: Path) -> None:
    with pytest.raises(InfeasibleBudgetError, match=r"see .*report\.html"):
        Study(output_dir=run_copy, resume=True, quiet=True, flops_budget="1K").run()


def test_what_is_wrong_is_said_before_anything_runs(tmp_path: Path, finished: Path) -> None:
    with pytest.raises(SettingsError, match="unknown study 'nosuch'"):
        Study("nosuch")
    with pytest.raises(SettingsError, match="needs a unit"):
        Study("quickstart", latency_budget="5")
    with pytest.raises(SettingsError, match="unknown option 'latency'"):
        Study("quickstart", latency="5ms")  # type: ignore[call-arg]
    with pytest.raises(SettingsError, match="exclude each other"):
        Study("quickstart", resume=True, overwrite=True)
    with pytest.raises(RunFolderError):
        Study("quickstart", output_dir=finished).run()
    with pytest.raises(RunFolderError):
        StudyResult.load(tmp_path)

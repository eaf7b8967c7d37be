"""The table of hostile files."""

import sys
from pathlib import Path

import pytest

from benchmarks.breaking.formats import FORMATS
from benchmarks.breaking.watched import Result
from benchmarks.fuzz import main, table


def test_the_table_has_a_row_for_each_format_and_a_line_for_each_fault() -> None:
    fault = {"kind": "traceback", "place": "KeyError at x.py:1", "message": "KeyError: 'a'", "size": 5}
    lines = table([Result("labels", 9, 4, 4, [fault]), Result("study", 3, 2, 1)])
    assert "| labels | 9 | 4 | 4 | 1 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 |" in lines
    assert "| study | 3 | 2 | 1 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 |" in lines
    assert lines[-1].startswith("- 1 x labels: traceback at KeyError")


def test_an_unknown_format_is_refused_with_all_known_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cakes", "--folder", str(tmp_path)]) == 2
    line = capsys.readouterr().err
    assert "unknown format 'cakes'" in line
    assert "journal" in line


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="runs on Linux alone")
def test_a_run_without_a_trained_answer_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["costs", "--folder", str(tmp_path / "kept"), "--run", str(tmp_path)]) == 2
    assert "is not a run whose answer was trained" in capsys.readouterr().err
    assert not (tmp_path / "kept").exists()


def test_other_systems_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert main(["all", "--folder", str(tmp_path)]) == 2
    assert "run this on Linux" in capsys.readouterr().err


@pytest.mark.posix
@pytest.mark.slow
def test_no_format_has_a_traceback(broken_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["all", "--folder", str(tmp_path), "--inputs", "40", "--run", str(broken_run)]) == 0
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines() if line.startswith("| ")][1:]
    found = {row[0].strip("| "): row[4:] for row in rows}
    assert found.keys() == FORMATS.keys()
    # Of what stands in a table, only messages with long lists of names may occur.
    assert all(count == "0" for row in found.values() for place, count in enumerate(row) if place != 4)

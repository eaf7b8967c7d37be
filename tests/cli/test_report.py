"""A finished study is shown again, as it was; an unfinished one is refused with the command that continues it."""

import json
import shutil
import webbrowser
from pathlib import Path

import pytest

from surrogate_nas._support.files import write_json
from surrogate_nas.cli.report import main
from tests.fixtures.tiny_study import RunHere


def error_line(capsys: pytest.CaptureFixture[str]) -> str:
    output, errors = capsys.readouterr()
    assert output == ""
    [line] = errors.splitlines()
    return str(line)


def test_the_answer_is_the_one_that_the_study_printed_with_more_of_it(
    finished_command: tuple[Path, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, printed, _ = finished_command
    assert main([str(folder)]) == 0
    output, hints = capsys.readouterr()
    first, *rest = output.splitlines()
    assert first == "Budget met: tiny"
    assert first in printed.splitlines()
    assert len(rest) > 10
    assert "surrogate_nas.lookup" in hints


def test_a_run_that_was_resumed_and_stopped_says_so(run_copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environment = run_copy / "environment.json"
    content = json.loads(environment.read_text(encoding="utf-8"))
    write_json(environment, content | {"created": "2999-01-01T00:00:00+00:00"})
    assert main([str(run_copy)]) == 0
    assert capsys.readouterr().err.startswith("warning: this report is older than the resumed run; finish it with: ")
    for damaged in ("{", "[]", json.dumps({"created": "soon"})):
        environment.write_text(damaged, encoding="utf-8")
        assert main([str(run_copy), "--json"]) == 0
        assert capsys.readouterr().err == ""


def test_the_json_is_the_report(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(finished), "--json"]) == 0
    expected = json.loads((finished / "report.json").read_text(encoding="utf-8"))
    assert json.loads(capsys.readouterr().out) == expected


def test_the_page_is_opened(
    finished: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def opens(address: str) -> bool:
        opened.append(address)
        return True

    monkeypatch.setattr(webbrowser, "open", opens)
    assert main([str(finished), "--open"]) == 0
    assert opened == [(finished / "report.html").resolve().as_uri()]
    assert capsys.readouterr().out.strip() == opened[0]
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    assert main([str(finished), "--open"]) == 1
    assert error_line(capsys) == f"error: no browser could be started; open {opened[0]}"


def test_what_is_no_finished_run_is_refused_with_the_remedy(
    run_copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (run_copy / "report.html").unlink()
    assert main([str(run_copy), "--open"]) == 2
    assert "the page is missing" in error_line(capsys)
    (run_copy / "report.json").write_text("{", encoding="utf-8")
    assert main([str(run_copy)]) == 1
    assert "the report cannot be read" in error_line(capsys)
    (run_copy / "report.json").unlink()
    assert main([str(run_copy)]) == 2
    assert error_line(capsys) == (
        f"error: the study in {run_copy} is not finished; continue it with: python -m surrogate_nas.study"
        f" --output-dir {run_copy} --resume"
    )
    shutil.rmtree(run_copy)
    assert main([str(run_copy)]) == 2
    assert error_line(capsys) == f"error: the run folder does not exist: {run_copy}"
    (tmp_path / "photos").mkdir()
    assert main([str(tmp_path / "photos")]) == 2
    assert "is not a run folder; make one with: " in error_line(capsys)
    assert main([str(tmp_path), "--open", "--json"]) == 2
    assert "exclude each other" in error_line(capsys)


def test_a_study_whose_budget_nothing_meets_ends_as_it_did(
    tiny: Path, tmp_path: Path, here: RunHere, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    code, out, _ = here(tiny, "--output-dir", run, "--params-budget", "1K", "--quiet")
    assert code == 3
    assert main([str(run)]) == 3
    assert out.count("No architecture meets the budget: tiny") == 1
    assert capsys.readouterr().out.startswith("No architecture meets the budget: tiny\n")

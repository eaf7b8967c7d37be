"""The picture of a report is drawn from a run's own files."""

import importlib.util
from pathlib import Path
from xml.etree import ElementTree

import pytest

from surrogate_nas import StudyResult
from tests.conftest import REPOSITORY

RUN = REPOSITORY / "tests" / "assets" / "run_0_1_0"
SPEC = importlib.util.spec_from_file_location("report_picture", REPOSITORY / "docs" / "report_picture.py")
assert SPEC is not None
assert SPEC.loader is not None
report_picture = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(report_picture)


def texts(picture: Path) -> list[str]:
    return [element.text or "" for element in ElementTree.parse(picture).iter("{http://www.w3.org/2000/svg}text")]


def test_it_has_the_answer_of_the_run(tmp_path: Path) -> None:
    report_picture.main([str(RUN), str(tmp_path / "report.svg")])
    chosen = StudyResult.load(RUN).report.answer.chosen
    assert chosen is not None
    found = texts(tmp_path / "report.svg")
    assert f"Architecture {chosen.digits} is the best within it." in found
    assert f"{chosen.accuracy_percent.value:.1f}%" in found
    assert sum(text.endswith(".") for text in found) == 1 + report_picture.SENTENCES


def test_a_run_without_an_answer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    result = StudyResult.load(RUN)
    object.__setattr__(result.report.answer, "chosen", None)
    with pytest.raises(SystemExit, match="chose no architecture"):
        report_picture.picture(result)


def test_the_picture_of_the_pages_is_whole_and_small() -> None:
    picture = REPOSITORY / "docs" / "images" / "report.svg"
    assert "Predicted accuracy" in texts(picture)
    assert picture.stat().st_size < 60_000

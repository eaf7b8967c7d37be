"""Both files are written, agree, and replace older ones only when whole."""

from dataclasses import replace
from pathlib import Path

import pytest

from surrogate_nas.errors import StoreError
from surrogate_nas.report.facts.whole import StudyFacts
from surrogate_nas.report.json_file import read_facts
from surrogate_nas.report.plots.predictor_plots import PlotPoints
from surrogate_nas.report.write import write_report


def test_both_files_are_written(facts: StudyFacts, points: PlotPoints, tmp_path: Path) -> None:
    assert write_report(tmp_path, facts, points) == facts
    assert read_facts(tmp_path / "report.json") == facts
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plots", "report.html", "report.json"]


def test_a_report_that_cannot_be_made_leaves_the_older_one(
    facts: StudyFacts, points: PlotPoints, tmp_path: Path
) -> None:
    write_report(tmp_path, facts, points)
    before = {path.name: path.read_bytes() for path in tmp_path.rglob("*.*")}
    ranges = (replace(facts.made.cost_ranges[0], median=float("nan")), *facts.made.cost_ranges[1:])
    with pytest.raises(StoreError, match=r"made\.cost_ranges\.0\.median"):
        write_report(tmp_path, replace(facts, made=replace(facts.made, cost_ranges=ranges)), points)
    assert {path.name: path.read_bytes() for path in tmp_path.rglob("*.*")} == before

"""Writes the report into a run folder."""

from pathlib import Path

from surrogate_nas._support.files import write_json, write_text
from surrogate_nas.report.drawings.picture_file import write_drawing
from surrogate_nas.report.facts.whole import StudyFacts
from surrogate_nas.report.json_file import facts_from_json, facts_to_json
from surrogate_nas.report.page import render_page
from surrogate_nas.report.plots.predictor_plots import PlotPoints

JSON_NAME, PAGE_NAME, DRAWING_NAME = "report.json", "report.html", "plots/architecture.svg"


def write_report(folder: Path, facts: StudyFacts, points: PlotPoints | None) -> StudyFacts:
    """Writes ``report.json``, then ``report.html`` and the architecture's drawing, each in one piece.

    Args:
        folder: The run folder.
        facts: What the report says.
        points: What is plotted; ``None`` if the study ended before there was anything to plot.

    Returns:
        The facts as ``report.json`` holds them, which is what the page shows.

    Raises:
        StoreError: If a figure that must be known is NaN or missing; nothing is written.
    """
    content = facts_to_json(facts)
    # Page and JSON can only agree if both are made from what a reader of the JSON gets.
    stored = facts_from_json(content)
    page = render_page(stored, points)
    write_json(folder / JSON_NAME, content)
    write_text(folder / PAGE_NAME, page)
    write_drawing(folder / DRAWING_NAME, stored.answer)
    return stored

"""The architecture's drawing as a file of its own, light or dark as its viewer."""

from pathlib import Path

from surrogate_nas._support.files import write_text
from surrogate_nas.report.drawings.block_drawing import draw_blocks
from surrogate_nas.report.drawings.cell_drawing import draw_cell
from surrogate_nas.report.facts.architectures import AnswerFacts
from surrogate_nas.space.drawing import draw_graph

_SHEET = Path(__file__).resolve().parent.parent / "templates" / "style.css.j2"


def drawing(answer: AnswerFacts) -> str | None:
    """Returns the chosen architecture as an ``<svg>`` element; None where nothing was chosen."""
    if answer.cell is not None:
        return draw_cell(answer.cell)
    if answer.graph is not None and answer.chosen is not None:
        return draw_graph(answer.graph.boxes, answer.graph.flows, f"Architecture: {answer.chosen.architecture}")
    return draw_blocks(answer.blocks, answer.chained) if answer.blocks else None


def write_drawing(path: Path, answer: AnswerFacts) -> None:
    """Writes the drawing as an SVG file with the page's colours; removes an older one where there is nothing to draw.

    Raises:
        WriteError: If it cannot be written.
    """
    element = drawing(answer)
    if element is None:
        path.unlink(missing_ok=True)
        return
    start = element.index(">") + 1
    write_text(path, f"{element[:start]}<style>{_colours()}</style>{element[start:]}\n")


def _colours() -> str:
    """Returns the colours of the page's style sheet, by day and by night, and the rules of drawings."""
    sheet = _SHEET.read_text(encoding="utf-8")
    rules = [line for line in sheet.splitlines() if line.startswith(".cell ")]
    return "".join([sheet[: sheet.index("* {")], "svg { font-family: system-ui, sans-serif; }\n", *rules])

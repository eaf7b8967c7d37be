"""Draws the picture of a report that README and the start page show, from the files of a finished study.

python docs/report_picture.py runs/quickstart
"""

import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

import numpy as np

from surrogate_nas import StudyResult, pareto_mask
from surrogate_nas.report import formats
from surrogate_nas.report.drawings.picture_file import drawing
from surrogate_nas.report.judgements import judgements

PICTURE = Path(__file__).parent / "images" / "report.svg"
WIDTH, HEIGHT = 1080, 640
DOTS = 1500  # of all architectures; the picture stays small
SENTENCES = 4
MOST_LETTERS = 132  # of a sentence that fits into the width
# Corners of the plot, in pixels of the picture.
LEFT, RIGHT, TOP, BOTTOM = 80.0, 690.0, 270.0, 470.0
COLOURS = {
    "paper": "#fbfbfa", "card": "#ffffff", "ink": "#1d2329", "soft": "#5b6570", "line": "#dfe3e7", "accent": "#1f66b8",
    "good": "#1c7a43", "caution": "#8a5a00", "bad": "#b3261e",
}  # fmt: skip
STYLE = """
svg { font-family: system-ui, sans-serif; }
.cell .edge { fill: none; stroke: #5b6570; stroke-width: 1.6; }
.cell .edge.dead { stroke-dasharray: 3 4; opacity: .55; }
.cell marker path { fill: #5b6570; } .cell .label rect { fill: #ffffff; stroke: #1f66b8; }
.cell .label text { fill: #1d2329; font-size: 13px; text-anchor: middle; dominant-baseline: central; }
.cell .label.dead rect { stroke: #dfe3e7; } .cell .label.dead text { fill: #5b6570; }
.cell .node circle { fill: #1f66b8; }
.cell .node text { fill: #fbfbfa; font-size: 12px; text-anchor: middle; dominant-baseline: central; }
"""


def picture(result: StudyResult) -> str:
    """Returns the report's answer, front and first sentences as one SVG."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>Report of the study {escape(result.report.study)}</title><style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="10" fill="{COLOURS["paper"]}" stroke="{COLOURS["line"]}"/>',
        *_figures(result),
        *_front(result),
        *_sentences(result),
    ]
    cell = drawing(result.report.answer)
    if cell is not None:
        place = f'x="735" y="64" width="310" height="{BOTTOM - 64:.0f}"'
        parts.append(re.sub(r'width="\d+" height="\d+"', place, cell, count=1))
    return "\n".join([*parts, "</svg>", ""])


def _text(x: float, y: float, text: str, size: int = 14, colour: str = "ink", extra: str = "") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" fill="{COLOURS[colour]}" {extra}>{escape(text)}</text>'


def _figures(result: StudyResult) -> Iterator[str]:
    """The verdict, and a card for the accuracy and for each of the first costs."""
    chosen, met = result.report.answer.chosen, result.report.answer.outcome == "met"
    if chosen is None:
        raise SystemExit("this study chose no architecture; take one that met its budget")
    yield _text(32, 46, f"Study {result.report.study}", 22, extra='font-weight="600"')
    yield _text(32, 78, "Budget met" if met else "Budget missed", 16, "good" if met else "bad", 'font-weight="600"')
    yield _text(158, 78, f"Architecture {chosen.digits} is the best within it.", 15)
    interval = f"95% interval {formats.percent_interval(chosen.accuracy_percent)}"
    cards = [("Predicted accuracy", formats.percent(chosen.accuracy_percent.value), interval, "with shared weights")]
    for cost in chosen.costs[:2]:
        found = cost.predicted if cost.measured is None else cost.measured
        how = "" if cost.cost != "latency_ms" else f"predicted {formats.cost(cost.cost, cost.predicted)}"
        budget = "no budget" if cost.budget is None else f"budget {formats.cost(cost.cost, cost.budget)}"
        cards.append((formats.cost_name(cost.cost), formats.cost(cost.cost, found), budget, how))
    for number, (name, value, first, second) in enumerate(cards):
        x = 32 + 224 * number
        yield f'<rect x="{x}" y="100" width="212" height="118" rx="8" fill="#ffffff" stroke="{COLOURS["line"]}"/>'
        yield _text(x + 14, 124, name, 14, "soft")
        yield _text(x + 14, 158, value, 27, extra='font-weight="600"')
        yield _text(x + 14, 182, first, 13, "soft")
        yield _text(x + 14, 202, second, 13, "soft")


def _front(result: StudyResult) -> Iterator[str]:
    """Dots of architectures, the Pareto front, the budget and the answer, over the first cost."""
    entries = list(result.table.top(len(result.table)))
    name = result.report.primary_cost
    cost = np.array([entry.costs[name] for entry in entries])
    accuracy = np.array([entry.predicted_accuracy_percent for entry in entries])
    low, high = np.percentile(accuracy, 2), accuracy.max()
    across, up = (RIGHT - LEFT) / np.ptp(cost), (BOTTOM - TOP) / (high - low)
    x = LEFT + across * (cost - cost.min())
    y = BOTTOM - up * np.clip(accuracy - low, 0, None)
    shown = np.random.default_rng(0).permutation(len(entries))[:DOTS]
    yield f'<path d="M{LEFT} {TOP - 8}V{BOTTOM + 8}H{RIGHT}" fill="none" stroke="{COLOURS["line"]}"/>'
    dots = "".join(f"M{x[row]:.0f} {y[row]:.0f}h0" for row in shown)
    yield f'<path d="{dots}" stroke="#9aa3ad" stroke-width="3" stroke-linecap="round" opacity=".45"/>'
    best = np.flatnonzero(pareto_mask(accuracy, cost[:, None]))
    line = " ".join(f"{x[row]:.0f},{y[row]:.0f}" for row in best[np.argsort(cost[best])])
    yield f'<polyline points="{line}" fill="none" stroke="{COLOURS["accent"]}" stroke-width="2"/>'
    limit = result.table.metadata.budgets.get(name)
    if limit is not None:
        edge = LEFT + across * (limit - cost.min())
        yield f'<path d="M{edge:.0f} {TOP - 8}V{BOTTOM + 8}" stroke="{COLOURS["bad"]}" stroke-dasharray="5 4"/>'
        yield _text(edge + 6, BOTTOM - 4, "budget", 13, "bad")
    answer = result.best
    cx = LEFT + across * (answer.costs[name] - cost.min())
    cy = BOTTOM - up * max(answer.predicted_accuracy_percent - low, 0)
    yield f'<circle cx="{cx:.0f}" cy="{cy:.0f}" r="6" fill="{COLOURS["bad"]}"/>'
    yield _text(LEFT, TOP - 20, "Predicted accuracy of every architecture; the line is the Pareto front", 14, "soft")
    for value, height in ((high, TOP + 4), (low, BOTTOM + 4)):
        yield _text(LEFT - 8, height, formats.percent(float(value)), 12, "soft", 'text-anchor="end"')
    yield _text(LEFT, BOTTOM + 26, formats.cost(name, float(cost.min())), 12, "soft")
    yield _text(RIGHT, BOTTOM + 26, formats.cost(name, float(cost.max())), 12, "soft", 'text-anchor="end"')


def _sentences(result: StudyResult) -> Iterator[str]:
    """The first sentence of each of the report's first judgements."""
    words = {"good": "ok", "caution": "caution", "bad": "warning"}
    for number, judgement in enumerate(judgements(result.report)[:SENTENCES]):
        y = 532 + 27 * number
        yield _text(32, y, words[judgement.level], 13, judgement.level, 'font-weight="600"')
        first = f"{judgement.text.split('. ')[0].removesuffix('.')}."
        yield _text(104, y, textwrap.shorten(first, MOST_LETTERS, placeholder=" ..."), 13)


def main(words: Sequence[str]) -> None:
    """Writes the picture of the study in the folder that is named, to the documentation or to a second path."""
    target = Path(words[1]) if len(words) > 1 else PICTURE
    target.parent.mkdir(exist_ok=True)
    target.write_text(picture(StudyResult.load(words[0])), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

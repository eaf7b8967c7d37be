"""An architecture that is not a cell, drawn as its decisions: blocks below one another, a band for each stage or cell.

Narrow enough for a phone; colours come from the page's style sheet, as a cell's do.
"""

from collections.abc import Sequence
from html import escape
from itertools import groupby

from surrogate_nas.report.facts.architectures import BlockFacts
from surrogate_nas.report.formats import operation

_WIDTH, _LEFT = 300.0, 62.0
_BOX, _STEP = 26.0, 38.0  # heights in pixels: of a box, and from one to the next
_GAP = 16.0  # between bands
_ARROW = (
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
    ' orient="auto-start-reverse"><path d="M0 0 8 4 0 8z"/></marker></defs>'
)


def draw_blocks(blocks: Sequence[BlockFacts], chained: bool) -> str:
    """Returns the drawing as an ``<svg>`` element; blocks that compute nothing are dashed and pale.

    Args:
        blocks: Decisions in order; what stands before the first dot of a name is its band.
        chained: Whether arrows lead from each block to the next.
    """
    parts: list[str] = []
    top, last = 4.0, 0.0
    for band, group in groupby(blocks, key=lambda block: block.name.partition(".")[0]):
        parts.append(f'<text class="band" x="0" y="{top + _BOX / 2:.0f}">{escape(band)}</text>')
        for block in group:
            if chained and last:
                parts.append(
                    f'<path class="edge" d="M{_middle():.0f} {last:.0f} V{top - 3:.0f}" marker-end="url(#arrow)"/>'
                )
            parts.append(_box(block, top, chained))
            last = top + _BOX
            top += _STEP
        top += _GAP
    height = top - _GAP
    named = "; ".join(f"{block.name}: {operation(block.choice)}" for block in blocks)
    return (
        f'<svg class="cell" role="img" viewBox="0 0 {_WIDTH:.0f} {height:.0f}" width="{_WIDTH:.0f}"'
        f' height="{height:.0f}" xmlns="http://www.w3.org/2000/svg">'
        f"<title>Architecture: {escape(named)}</title>{_ARROW}{''.join(parts)}</svg>"
    )


def _box(block: BlockFacts, top: float, chained: bool) -> str:
    dead = "" if block.live else " dead"
    within = block.name.partition(".")[2]
    # In a chain the order says which block it is.
    text = operation(block.choice) if chained or not within else f"{within}: {operation(block.choice)}"
    width = _WIDTH - _LEFT - 2
    return (
        f'<g class="label{dead}"><rect x="{_LEFT:.0f}" y="{top:.0f}" width="{width:.0f}" height="{_BOX:.0f}"'
        f' rx="6"/><text x="{_middle():.0f}" y="{top + _BOX / 2:.0f}">{escape(text)}</text></g>'
    )


def _middle() -> float:
    return (_LEFT + _WIDTH - 2) / 2

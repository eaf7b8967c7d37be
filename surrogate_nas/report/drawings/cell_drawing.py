"""A cell drawn as a graph: inline SVG, whose colours come from the page's style sheet.

Nodes stand below one another, so that the drawing is narrow enough for a phone and the operations' names are not scaled
down there. Edges between neighbours are straight, longer ones are curves to the left and right.
"""

from html import escape

from surrogate_nas.report.facts.architectures import CellFacts
from surrogate_nas.report.formats import operation

_STEP = 104.0  # pixels between nodes
_RADIUS = 15.0
_TOP = 26.0
_LANE = 74.0  # pixels between curves of one side
_CHARACTER = 7.0  # width of one in a label


def draw_cell(cell: CellFacts) -> str:
    """Returns the drawing as an ``<svg>`` element.

    Edges that no data flow through to the output are dashed and pale. Names are escaped.

    Args:
        cell: Edges with their operations; any number of nodes.
    """
    output = max(end for _, end in cell.edges)
    lanes = _lanes(cell.edges)
    labels = [operation(name) for name in cell.operations]
    widths = [_CHARACTER * len(label) + 14 for label in labels]
    left = max([_RADIUS, *(w / 2 - lane * _LANE for lane, w in zip(lanes, widths, strict=True))]) + 6
    right = max([_RADIUS, *(w / 2 + lane * _LANE for lane, w in zip(lanes, widths, strict=True))]) + 6
    height = 2 * _TOP + output * _STEP
    description = "; ".join(
        f"{_node_name(start, output)} to {_node_name(end, output)}: {label}"
        for (start, end), label in zip(cell.edges, labels, strict=True)
    )
    parts = [
        f'<svg class="cell" role="img" viewBox="{-left:.0f} 0 {left + right:.0f} {height:.0f}"'
        f' width="{left + right:.0f}" height="{height:.0f}" xmlns="http://www.w3.org/2000/svg">',
        f"<title>Cell: {escape(description)}</title>",
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
        ' orient="auto-start-reverse"><path d="M0 0 8 4 0 8z"/></marker></defs>',
    ]
    drawn = list(zip(cell.edges, lanes, labels, widths, cell.live, strict=True))
    parts += [_curve(edge, lane, live) for edge, lane, _, _, live in drawn]
    parts += [_label(edge, lane, label, width, live) for edge, lane, label, width, live in drawn]
    parts += [_node(node, output) for node in range(output + 1)]
    return "".join([*parts, "</svg>"])


def _lanes(edges: tuple[tuple[int, int], ...]) -> list[int]:
    """Returns a lane per edge: 0 the middle for neighbours, then -1, 1, -2, ...; curves of one lane do not overlap."""
    lanes = [0] * len(edges)
    taken: dict[int, list[tuple[int, int]]] = {}
    for column in sorted(range(len(edges)), key=lambda i: (edges[i][1] - edges[i][0], edges[i])):
        start, end = edges[column]
        if end - start == 1:
            continue
        for lane in sorted(range(-len(edges), len(edges) + 1), key=lambda lane: (abs(lane), lane)):
            if lane and all(end <= other[0] or other[1] <= start for other in taken.get(lane, [])):
                taken.setdefault(lane, []).append((start, end))
                lanes[column] = lane
                break
    return lanes


def _y(node: float) -> float:
    return _TOP + node * _STEP


def _curve(edge: tuple[int, int], lane: int, live: bool) -> str:
    start, end = edge
    if lane == 0:
        path = f"M0 {_y(start) + _RADIUS:.1f} V{_y(end) - _RADIUS - 3:.1f}"
    else:
        side, x = (-1 if lane < 0 else 1), lane * _LANE
        out, into = side * (_RADIUS + 1), side * (_RADIUS + 4)
        path = (
            f"M{out:.1f} {_y(start):.1f} C{x:.1f} {_y(start) + 8:.1f} {x:.1f} {_y(start) + 24:.1f} {x:.1f}"
            f" {_y(start) + 0.4 * _STEP:.1f} V{_y(end) - 0.4 * _STEP:.1f}"
            f" C{x:.1f} {_y(end) - 24:.1f} {x:.1f} {_y(end) - 8:.1f} {into:.1f} {_y(end):.1f}"
        )
    return f'<path class="edge{_dead(live)}" d="{path}" marker-end="url(#arrow)"/>'


def _label(edge: tuple[int, int], lane: int, text: str, width: float, live: bool) -> str:
    x, y = lane * _LANE, (_y(edge[0]) + _y(edge[1])) / 2
    return (
        f'<g class="label{_dead(live)}"><rect x="{x - width / 2:.1f}" y="{y - 12:.1f}" width="{width:.1f}" height="24"'
        f' rx="6"/><text x="{x:.1f}" y="{y:.1f}">{escape(text)}</text></g>'
    )


def _node(node: int, output: int) -> str:
    name = {0: "in", output: "out"}.get(node, str(node))
    return (
        f'<g class="node"><circle cx="0" cy="{_y(node):.1f}" r="{_RADIUS:.0f}"/>'
        f'<text x="0" y="{_y(node):.1f}">{name}</text></g>'
    )


def _node_name(node: int, output: int) -> str:
    return {0: "input", output: "output"}.get(node, f"node {node}")


def _dead(live: bool) -> str:
    return "" if live else " dead"

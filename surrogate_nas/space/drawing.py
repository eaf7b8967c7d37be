"""One architecture drawn as a graph of operations, as a stand-alone SVG file.

Boxes stand one below the other, and data flow down. A flow that passes boxes by runs at their right, in a lane that all
flows out of one box share and no other box uses next to it.
"""

from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import ArrayLike

from surrogate_nas.space.space import Space

Flow = tuple[int, int]
"""Positions of the box that data come from and of the one that they go to."""

_STEP, _HEIGHT, _LANE, _CHARACTER = 40.0, 26.0, 14.0, 7.5  # pixels
_STYLE = (
    ".label rect{fill:#eef2f7;stroke:#475569}"
    ".label text{font:13px sans-serif;text-anchor:middle;dominant-baseline:central}"
    ".edge{fill:none;stroke:#475569;stroke-width:1.5}"
)


def draw_architecture(space: Space, code: ArrayLike) -> str:
    """Returns the graph of an architecture, shape (D,), as an SVG file.

    Raises:
        SpaceError: If the code is none of the space.
    """
    element = draw_graph(*graph_of(space, code), space.format(code))
    start = element.index(">") + 1
    return f"{element[:start]}<style>{_STYLE}</style>{element[start:]}\n"


def graph_of(space: Space, code: ArrayLike) -> tuple[tuple[str, ...], tuple[Flow, ...]]:
    """Returns names of the boxes of an architecture, in the order of data, and the flows between them.

    Raises:
        SpaceError: If the code is none of the space.
    """
    graphs = space.graphs([np.asarray(code)])
    types = graphs.operations[0]
    present = np.flatnonzero(types > 0)
    names = space.graph_types.names
    row = {int(node): position for position, node in enumerate(present)}
    flows = tuple((row[int(u)], row[int(v)]) for u, v in np.argwhere(graphs.adjacency[0]))
    return tuple(names[types[node]] for node in present), flows


def draw_graph(names: Sequence[str], flows: Sequence[Flow], title: str) -> str:
    """Returns an ``<svg>`` element without colours: its class is ``cell``, flows are ``edge``, boxes ``label``."""
    width = max(_CHARACTER * len(name) + 20 for name in names)
    lanes = _lanes(flows)
    total = width + 2 + _LANE * (max(lanes.values(), default=-1) + 1)
    height = _STEP * (len(names) - 1) + _HEIGHT
    return (
        f'<svg class="cell" xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {total:.0f} {height:.0f}"'
        f' width="{total:.0f}" height="{height:.0f}"><title>{escape(title)}</title>'
        '<defs><marker id="to" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto">'
        '<path d="M0 0 8 4 0 8z"/></marker></defs>'
        + "".join(_flow(flow, lanes, width) for flow in flows)
        + "".join(_box(position, name, width) for position, name in enumerate(names))
        + "</svg>"
    )


def _passes(flow: Flow) -> bool:
    """Returns whether a flow passes boxes by."""
    return flow[1] > flow[0] + 1


def _lanes(flows: Sequence[Flow]) -> dict[int, int]:
    """Returns the lane of each box with flows that pass others by, the shortest ways nearest to the boxes."""
    last: dict[int, int] = {}
    for start, end in filter(_passes, flows):
        last[start] = max(end, last.get(start, end))
    lanes: dict[int, int] = {}
    for start in sorted(last, key=lambda box: (last[box] - box, box)):
        beside = {lanes[other] for other in lanes if other < last[start] and start < last[other]}
        lanes[start] = next(lane for lane in range(len(last)) if lane not in beside)
    return lanes


def _flow(flow: Flow, lanes: dict[int, int], width: float) -> str:
    start, end = flow
    if _passes(flow):
        # Out of the lower half and into the upper one, so that what comes and what goes does not meet.
        leaves, enters = _STEP * start + 0.72 * _HEIGHT, _STEP * end + 0.28 * _HEIGHT
        path = f"M{width:.0f} {leaves:.1f} H{width + _LANE * (lanes[start] + 1):.0f} V{enters:.1f} H{width:.0f}"
    else:
        path = f"M{width / 2:.0f} {_STEP * start + _HEIGHT:.0f} V{_STEP * end:.0f}"
    return f'<path class="edge" d="{path}" marker-end="url(#to)"/>'


def _box(position: int, name: str, width: float) -> str:
    y = _STEP * position
    return (
        f'<g class="label"><rect x="0.5" y="{y + 0.5:.1f}" width="{width - 1:.0f}" height="{_HEIGHT - 1:.0f}" rx="6"/>'
        f'<text x="{width / 2:.0f}" y="{y + _HEIGHT / 2:.0f}">{escape(name)}</text></g>'
    )

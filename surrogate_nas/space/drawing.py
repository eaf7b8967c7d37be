"""One architecture drawn as a graph of operations, as a stand-alone SVG file."""

from html import escape

import numpy as np
from numpy.typing import ArrayLike

from surrogate_nas.space.space import Space

_STEP, _HEIGHT, _LANE, _CHARACTER = 44.0, 28.0, 18.0, 7.5  # pixels
_STYLE = (
    "rect{fill:#eef2f7;stroke:#475569}text{font:13px sans-serif;text-anchor:middle;dominant-baseline:central}"
    "path{fill:none;stroke:#475569;stroke-width:1.5}"
)


def draw_architecture(space: Space, code: ArrayLike) -> str:
    """The graph of an architecture, shape (D,), as an SVG: operations one below the other, data flow to the right.

    Raises:
        SpaceError: If the code is none of the space.
    """
    graphs = space.graphs([np.asarray(code)])
    types = graphs.operations[0]
    present = np.flatnonzero(types > 0)
    names = ["absent", "input", "output", *space.graph_names]
    row = {int(node): position for position, node in enumerate(present)}
    width = max(_CHARACTER * len(names[types[node]]) + 20 for node in present)
    flows = [(row[int(u)], row[int(v)]) for u, v in np.argwhere(graphs.adjacency[0])]
    longest = max((end - start for start, end in flows), default=1)
    total, height = width + 20 + _LANE * longest, _STEP * len(present)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {total:.0f} {height:.0f}"'
        f' width="{total:.0f}" height="{height:.0f}">',
        f"<title>{escape(space.format(code))}</title><style>{_STYLE}</style>",
        '<defs><marker id="to" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto">'
        '<path d="M0 0 8 4 0 8z"/></marker></defs>',
        *(_flow(start, end, width) for start, end in flows),
        *(_box(row[int(node)], names[types[node]], width) for node in present),
    ]
    return "".join([*parts, "</svg>\n"])


def _flow(start: int, end: int, width: float) -> str:
    if end == start + 1:
        path = f"M{width / 2:.0f} {_STEP * start + _HEIGHT:.0f} V{_STEP * end:.0f}"
    else:
        top, bottom = _STEP * start + _HEIGHT / 2, _STEP * end + _HEIGHT / 2
        path = f"M{width:.0f} {top:.0f} h{_LANE * (end - start):.0f} V{bottom:.0f} H{width:.0f}"
    return f'<path d="{path}" marker-end="url(#to)"/>'


def _box(row: int, name: str, width: float) -> str:
    y = _STEP * row
    return (
        f'<rect x="0.5" y="{y + 0.5:.1f}" width="{width - 1:.0f}" height="{_HEIGHT - 1:.0f}" rx="6"/>'
        f'<text x="{width / 2:.0f}" y="{y + _HEIGHT / 2:.0f}">{escape(name)}</text>'
    )

"""Colours, axes and layout that all plots share, readable on light and dark backgrounds."""

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.costs.cost import COSTS, split_cost

# Mid-tones that stand out from white and from near-black; text takes the page's colours by its style sheet.
BLUE, ORANGE, GREY, RED = "#3f83d9", "#e0872a", "#9aa3ad", "#d9534f"
_LINE = "rgba(140,150,160,0.28)"


def axis_scale(cost: str, values: NDArray[np.float64]) -> tuple[float, str]:
    """Returns the unit of an axis: its size in the stored unit, and how the title names it."""
    if split_cost(cost)[0] == "latency_ms":
        return 1.0, " (ms)"
    largest = float(values.max()) if len(values) else 0.0
    for unit, size in sorted(COSTS[cost].units.items(), key=lambda item: -item[1]):
        if largest >= size:
            return size, f", {unit}"
    return 1.0, ""


def layout(x: str, y: str) -> dict[str, object]:
    """Returns the layout of a figure with titles of its axes."""
    axis = {"gridcolor": _LINE, "zeroline": False, "linecolor": _LINE, "ticks": "outside", "tickcolor": _LINE}
    return {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": "#808891"},
        "margin": {"l": 56, "r": 14, "t": 36, "b": 52},
        "height": 420,
        "autosize": True,
        "hovermode": "closest",
        "hoverlabel": {
            "bgcolor": "#23282e",
            "bordercolor": "#23282e",
            "font": {"color": "#f2f4f6", "size": 12},
            "align": "left",
        },
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "xaxis": {**axis, "title": {"text": x}, "nticks": 8},
        "yaxis": {**axis, "title": {"text": y}},
    }

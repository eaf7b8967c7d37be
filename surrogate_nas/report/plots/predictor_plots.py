"""Plots of the page as plotly figures, readable on light and dark backgrounds."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from surrogate_nas.errors import SurrogateNasError
from surrogate_nas.report import formats
from surrogate_nas.report.facts.whole import StudyFacts
from surrogate_nas.report.plots.search_plots import SearchPoints
from surrogate_nas.report.plots.style import BLUE, GREY, ORANGE, RED, axis_scale, layout
from surrogate_nas.report.plots.supernet_plots import SupernetPoints

Floats = NDArray[np.float64]

MAX_DOTS = 3_000
_DOTS_SEED = 0


@dataclass(frozen=True)
class PlotPoints:
    """The points of the plots: architectures of the space, and out-of-fold predictions of labelled ones.

    Attributes:
        accuracy_percent: Predicted accuracy, shape (N,).
        cost: The primary cost in its stored unit, shape (N,).
        pareto: Whether no other architecture is both cheaper and better, shape (N,).
        digits: Code of each, length N.
        architectures: The same with operation names, length N.
        label_percent: Label of each labelled architecture, shape (M,).
        out_of_fold_percent: Its prediction by a model that had not seen it, shape (M,).
        search: What the plots of the search show; None for none.
        supernet: What the plots of the supernets show; None for none.
    """

    accuracy_percent: Floats
    cost: Floats
    pareto: NDArray[np.bool_]
    digits: Sequence[str]
    architectures: Sequence[str]
    label_percent: Floats
    out_of_fold_percent: Floats
    search: SearchPoints | None = None
    supernet: SupernetPoints | None = None

    def __post_init__(self) -> None:
        count = len(self.accuracy_percent)
        for name in ("cost", "pareto", "digits", "architectures"):
            if len(getattr(self, name)) != count:
                raise ValueError(f"{name} must have one entry per point, {count} (got {len(getattr(self, name))})")
        if len(self.label_percent) != len(self.out_of_fold_percent):
            raise ValueError("label_percent and out_of_fold_percent must have one and the same length")


def kept_points(pareto: NDArray[np.bool_], limit: int = MAX_DOTS) -> NDArray[np.int64]:
    """Positions worth plotting: all of the Pareto set and at most ``limit`` others, drawn uniformly, in order.

    Names need to be written for these alone.

    Args:
        pareto: Shape (N,).
        limit: Most points outside of the Pareto set.
    """
    others = np.flatnonzero(~pareto)
    if len(others) > limit:
        others = np.random.default_rng(_DOTS_SEED).choice(others, size=limit, replace=False)
    return np.sort(np.concatenate([np.flatnonzero(pareto), others]))


def front_figure(facts: StudyFacts, points: PlotPoints) -> go.Figure:
    """Plots predicted accuracy against the primary cost: the space, its Pareto front, the budget and the answer."""
    cost = facts.primary_cost
    factor, unit = axis_scale(cost, points.cost)
    kept = kept_points(points.pareto)
    dots, front = kept[~points.pareto[kept]], kept[points.pareto[kept]]
    front = front[np.lexsort((points.accuracy_percent[front], points.cost[front]))]
    figure = go.Figure(layout=layout(f"{formats.cost_title(cost)}{unit}", "Predicted accuracy (%)"))
    figure.add_scatter(
        **_architectures(points, dots, cost, factor),
        name="space",
        mode="markers",
        marker={"color": GREY, "size": 4, "opacity": 0.45},
    )
    figure.add_scatter(
        **_architectures(points, front, cost, factor),
        name="Pareto front",
        mode="lines+markers",
        line={"color": BLUE, "width": 1.5},
        marker={"color": BLUE, "size": 6},
    )
    _add_answer(figure, facts, factor)
    figure.update_yaxes(range=_accuracy_range(points.accuracy_percent))
    return figure


def _add_answer(figure: go.Figure, facts: StudyFacts, factor: float) -> None:
    """Adds the budget's line and the chosen architecture."""
    budget = next((item.budget for item in facts.made.cost_ranges if item.cost == facts.primary_cost), None)
    if budget is not None:
        _add_margin(figure, facts, budget / factor)
        figure.add_vline(
            x=budget / factor,
            line={"color": RED, "width": 1.5, "dash": "dash"},
            annotation={
                "text": f"budget {formats.cost(facts.primary_cost, budget)}",
                "font": {"color": RED, "size": 12},
                "yref": "paper",
                "y": 0.01,
                "yanchor": "bottom",
                "xanchor": "left",
            },
        )
    chosen = facts.answer.chosen
    if chosen is None or chosen.accuracy_percent.value is None:
        return
    values = {item.cost: item.predicted for item in chosen.costs}
    x = values.get(facts.primary_cost)
    if x is None:
        return
    figure.add_scatter(
        x=[x / factor],
        y=[chosen.accuracy_percent.value],
        name="chosen",
        mode="markers",
        marker={"color": ORANGE, "size": 14, "symbol": "star", "line": {"color": "#6b3d0d", "width": 1}},
        hovertext=[
            _hover(chosen.digits, chosen.architecture, chosen.accuracy_percent.value, facts.primary_cost, x)
            + "<br>chosen"
        ],
        hoverinfo="text",
    )


def _add_margin(figure: go.Figure, facts: StudyFacts, budget: float) -> None:
    """Adds the strip below the budget where a predicted cost meets it, but its upper bound does not."""
    costs = facts.answer.chosen.costs if facts.answer.chosen is not None else ()
    for cost in costs:
        if cost.cost == facts.primary_cost and cost.upper is not None and cost.predicted:
            first = budget * cost.predicted / cost.upper
            figure.add_vrect(x0=first, x1=budget, fillcolor=RED, opacity=0.14, line_width=0, layer="below")


def trust_figure(points: PlotPoints) -> go.Figure:
    """Returns the out-of-fold prediction against the label; the diagonal is where they agree."""
    figure = go.Figure(layout=layout("Label (%)", "Predicted without that label (%)"))
    x, y = points.label_percent, points.out_of_fold_percent
    if len(x) == 0:
        return figure
    low, high = float(min(x.min(), y.min())), float(max(x.max(), y.max()))
    figure.add_scatter(
        x=[low, high],
        y=[low, high],
        name="agreement",
        mode="lines",
        line={"color": ORANGE, "width": 1.5, "dash": "dash"},
        hoverinfo="skip",
    )
    kept = kept_points(np.zeros(len(x), dtype=bool))
    figure.add_scatter(
        x=np.round(x[kept], 3),
        y=np.round(y[kept], 3),
        name="labelled architecture",
        mode="markers",
        marker={"color": BLUE, "size": 5, "opacity": 0.55},
        hovertemplate="label %{x:.1f}%<br>predicted %{y:.1f}%<extra></extra>",
    )
    return figure


def figure_html(figure: go.Figure, name: str) -> str:
    """Returns the figure as a ``<div>`` that needs plotly.js once in the page.

    Args:
        figure: The figure.
        name: Identifier of the element, unique in the page.
    """
    text = figure.to_html(
        full_html=False,
        include_plotlyjs=False,
        include_mathjax=False,
        div_id=name,
        config={"responsive": True, "displaylogo": False, "displayModeBar": False, "doubleClick": "autosize"},
    )
    return str(text)


def plotly_script() -> str:
    """Returns the source of plotly.js, which makes the page independent of any network.

    Raises:
        SurrogateNasError: If it could end the page's script element too early.
    """
    from plotly.offline import get_plotlyjs  # several megabytes, read when a page is made and not before

    source = str(get_plotlyjs())
    if "</script" in source.lower():
        raise SurrogateNasError("this version of plotly.js cannot be put into a page; install another plotly")
    return source


def _architectures(points: PlotPoints, rows: NDArray[np.int64], cost: str, factor: float) -> dict[str, object]:
    """Coordinates and hover text of some of the points."""
    hover = [
        _hover(points.digits[i], points.architectures[i], points.accuracy_percent[i], cost, points.cost[i])
        for i in rows.tolist()
    ]
    # Four digits are all that a plot shows; more would only make the page larger.
    x = [float(f"{value / factor:.5g}") for value in points.cost[rows]]
    return {"x": x, "y": np.round(points.accuracy_percent[rows], 3), "hovertext": hover, "hoverinfo": "text"}


def _hover(digits: str, architecture: str, accuracy: float, cost: str, value: float) -> str:
    # Plotly reads hover text as HTML. One node of the cell a line keeps the box narrow enough for a phone.
    lines = escape(architecture).replace("+|", "+<br>|")
    return f"<b>{escape(digits)}</b><br>{lines}<br>{accuracy:.1f}% · {formats.cost(cost, float(value))}"


def _accuracy_range(accuracy: Floats) -> list[float] | None:
    """Limits that a few broken architectures do not stretch (Tukey's fence below the lower quartile)."""
    if len(accuracy) == 0:
        return None
    low, quarter, half = np.quantile(accuracy, [0.0, 0.25, 0.75])
    top = float(accuracy.max())
    bottom = max(float(low), float(quarter - 1.5 * (half - quarter)))
    margin = 0.04 * (top - bottom) or 1.0
    return [bottom - margin, top + margin]

"""Plots of the search: trials over time, costs and their budget, which decisions matter, which operations win where.

Symbols:
    N: architectures with a path from input to output.
    D: decisions of the space.
    T: trials of the search.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from surrogate_nas.costs.cost import COSTS
from surrogate_nas.report import formats
from surrogate_nas.report.plots.style import BLUE, GREY, ORANGE, RED, axis_scale, layout

Floats = NDArray[np.float64]

# Of the feasible architectures, this share and at least this many are the winners.
WINNING_SHARE, FEWEST_WINNERS = 0.01, 20


@dataclass(frozen=True)
class SearchPoints:
    """The points of the plots: the costs and scores that the search knows, and its trials.

    Attributes:
        codes: Shape (N, D).
        decisions: Name of each decision, length D.
        choices: Names of each decision's choices, length D.
        accuracy_percent: Predicted, shape (N,).
        feasible: Which meet every budget, shape (N,).
        typical: Which stand for the whole space, shape (N,): a large one lists others that a budget asked for.
        costs: Name of each budgeted cost to the values that its budget is compared with, shape (N,), and the budget.
        bounded: Costs of which these values are upper bounds of predictions.
        trial_accuracy_percent: Predicted accuracy of each trial, in order, shape (T,).
        trial_feasible: Shape (T,).
    """

    codes: NDArray[np.integer]
    decisions: Sequence[str]
    choices: Sequence[Sequence[str]]
    accuracy_percent: Floats
    feasible: NDArray[np.bool_]
    typical: NDArray[np.bool_]
    costs: dict[str, tuple[Floats, float]]
    trial_accuracy_percent: Floats
    trial_feasible: NDArray[np.bool_]
    bounded: frozenset[str] = frozenset()

    def title_of(self, cost: str) -> str:
        """Returns what the values of a cost are, as a heading has it."""
        return f"Upper bound of {COSTS[cost].title}" if cost in self.bounded else formats.cost_title(cost)


def search_figures(points: SearchPoints) -> dict[str, tuple[str, go.Figure]]:
    """Returns every plot by the name of its file, with its title."""
    made = {
        "trials": ("Best feasible accuracy over the trials", trials_figure(points)),
        "importance": ("Which decisions matter", importance_figure(points)),
        "operations": ("Operations of the best architectures, by place", operations_figure(points)),
    }
    for cost in points.costs:
        name = "cost-" + "".join(letter if letter.isalnum() else "-" for letter in cost).strip("-")
        made[name] = (f"{points.title_of(cost)} of all architectures, and the budget", cost_figure(points, cost))
    return made


def trials_figure(points: SearchPoints) -> go.Figure:
    """Returns the trials, and the best feasible one so far."""
    number = np.arange(1, len(points.trial_accuracy_percent) + 1)
    figure = go.Figure(layout=layout("Trial", "Predicted accuracy (%)"))
    for name, mask, colour in (
        ("feasible", points.trial_feasible, BLUE),
        ("exceeds a budget", ~points.trial_feasible, GREY),
    ):
        figure.add_scatter(
            x=number[mask],
            y=np.round(points.trial_accuracy_percent[mask], 3),
            name=name,
            mode="markers",
            marker={"color": colour, "size": 4, "opacity": 0.6},
        )
    best = np.maximum.accumulate(np.where(points.trial_feasible, points.trial_accuracy_percent, -np.inf))
    known = np.isfinite(best)
    figure.add_scatter(
        x=number[known],
        y=np.round(best[known], 3),
        name="best feasible",
        mode="lines",
        line={"color": ORANGE, "width": 2},
    )
    return figure


def cost_figure(points: SearchPoints, cost: str) -> go.Figure:
    """Returns a histogram: the number of architectures at each cost."""
    values, budget = points.costs[cost]
    values = values[points.typical]
    factor, unit = axis_scale(cost, values)
    figure = go.Figure(layout=layout(f"{points.title_of(cost)}{unit}", "Architectures"))
    # Counted here: a page need not hold every value.
    counts, edges = np.histogram(values / factor, bins=60)
    middles, inside = (edges[:-1] + edges[1:]) / 2, edges[1:] <= budget / factor
    figure.add_bar(
        x=np.round(middles, 6),
        y=counts,
        width=np.diff(edges),
        marker={"color": [BLUE if one else GREY for one in inside], "line": {"width": 0}},
        hovertemplate="%{x:.4g}: %{y}<extra></extra>",
        showlegend=False,
    )
    share = float(np.mean(values <= budget))
    figure.add_vline(
        x=budget / factor,
        line={"color": RED, "width": 1.5, "dash": "dash"},
        annotation={"text": f"budget {formats.cost(cost, budget)}: {share:.0%} meet it", "font": {"color": RED}},
    )
    return figure


def importance(codes: NDArray[np.integer], accuracy: Floats) -> Floats:
    """Returns each decision's share of the accuracy's variance, between its choices alone (eta squared), shape (D,).

    Args:
        codes: Shape (N, D).
        accuracy: Shape (N,).
    """
    total = float(accuracy.var())
    shares = np.zeros(codes.shape[1])
    for column in range(codes.shape[1]):
        counts = np.bincount(codes[:, column])
        means = np.bincount(codes[:, column], accuracy) / np.maximum(counts, 1)
        between = float(np.sum(counts * (means - accuracy.mean()) ** 2) / len(accuracy))
        shares[column] = between / total if total > 0 else 0.0
    return shares


def importance_figure(points: SearchPoints) -> go.Figure:
    """Returns the importance of each decision."""
    shares = importance(points.codes[points.typical], points.accuracy_percent[points.typical])
    figure = go.Figure(layout=layout("Decision", "Share of the accuracy's variance (%)"))
    figure.add_bar(
        x=list(points.decisions),
        y=np.round(100 * shares, 2),
        marker={"color": BLUE},
        hovertemplate="%{x}: %{y:.1f}%<extra></extra>",
        showlegend=False,
    )
    return figure


def winning_shares(points: SearchPoints) -> tuple[tuple[str, ...], Floats]:
    """Returns names of the choices, and how often the best architectures have each, shape (choices, D).

    Winners are the best predicted ones of the feasible; where none is, of all.
    """
    rows = np.flatnonzero(points.feasible) if points.feasible.any() else np.arange(len(points.codes))
    count = max(FEWEST_WINNERS, int(WINNING_SHARE * len(rows)))
    best = rows[np.argsort(-points.accuracy_percent[rows], kind="stable")][:count]
    names = tuple(dict.fromkeys(name for some in points.choices for name in some))
    shares = np.zeros((len(names), len(points.decisions)))
    for column, some in enumerate(points.choices):
        for choice, name in enumerate(some):
            shares[names.index(name), column] = np.mean(points.codes[best, column] == choice)
    return names, shares


def operations_figure(points: SearchPoints) -> go.Figure:
    """Returns the figure of how often the best feasible architectures have each operation in each place."""
    names, shares = winning_shares(points)
    figure = go.Figure(layout=layout("Decision", ""))
    figure.add_heatmap(
        x=list(points.decisions),
        y=[formats.operation(name) for name in names],
        z=np.round(100 * shares, 1),
        zmin=0,
        zmax=100,
        colorscale=[[0, "rgba(63,131,217,0.04)"], [1, BLUE]],
        texttemplate="%{z:.0f}%",
        hovertemplate="%{y} on %{x}: %{z:.0f}%<extra></extra>",
        showscale=False,
    )
    figure.update_yaxes(automargin=True)
    return figure


def write_plots(folder: Path, figures: Mapping[str, tuple[str, go.Figure]]) -> list[Path]:
    """Writes every plot as a page of its own; all of them share one copy of plotly.js in the same folder.

    Args:
        folder: Where to.
        figures: Name of a file to title and plot.

    Raises:
        OSError: If the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, (title, figure) in figures.items():
        figure.update_layout(title={"text": title}, margin={"t": 72}, paper_bgcolor="white")
        path = folder / f"{name}.html"
        figure.write_html(path, include_plotlyjs="directory", div_id=name)
        paths.append(path)
    return paths

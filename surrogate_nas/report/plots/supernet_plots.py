"""Plots of the supernets: how their trainings went, and which architectures each group of the space holds.

Symbols:
    N: architectures with a path from input to output.
    G: groups of the space.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from surrogate_nas.report import formats
from surrogate_nas.report.plots.style import BLUE, GREY, ORANGE, RED, axis_scale, layout

Floats = NDArray[np.float64]

MAX_DOTS = 1_500
_COLOURS = (BLUE, ORANGE, RED, GREY, "#4aa564", "#9467bd", "#8c6d31", "#17a2b8")


@dataclass(frozen=True)
class Curve:
    """The course of a training.

    Attributes:
        name: Which training.
        steps: Step at the middle of each part, shape (P,).
        loss: Mean training loss of the part, shape (P,).
    """

    name: str
    steps: Floats
    loss: Floats


@dataclass(frozen=True)
class SupernetPoints:
    """The points of the supernets' plots.

    Attributes:
        curves: Every training whose checkpoint is there.
        groups: A few words on each group, length G; empty where they are not known.
        group: Group of each architecture, shape (N,).
        cost_name: Key of ``COSTS``.
        cost: In its stored unit, shape (N,).
        accuracy_percent: Predicted, shape (N,).
    """

    curves: Sequence[Curve]
    groups: Sequence[str]
    group: NDArray[np.int64]
    cost_name: str
    cost: Floats
    accuracy_percent: Floats


def supernet_figures(points: SupernetPoints) -> dict[str, tuple[str, go.Figure]]:
    """Returns every plot that has data by the name of its file, with its title."""
    made = {}
    if points.curves:
        made["training"] = ("Training of the supernets", training_figure(points))
    if len(points.groups) > 1:
        made["groups"] = ("Groups of the space", groups_figure(points))
    return made


def training_figure(points: SupernetPoints) -> go.Figure:
    """Returns the training loss over the steps, one line for each training."""
    figure = go.Figure(layout=layout("Step", "Training loss"))
    for number, curve in enumerate(points.curves):
        figure.add_scatter(
            x=np.round(curve.steps, 1),
            y=np.round(curve.loss, 4),
            name=curve.name,
            mode="lines",
            line={"color": _COLOURS[number % len(_COLOURS)], "width": 1.5},
            hovertemplate="step %{x:,.0f}: %{y:.3f}<extra>%{fullData.name}</extra>",
        )
    return figure


def groups_figure(points: SupernetPoints) -> go.Figure:
    """Plots predicted accuracy against cost, coloured by group; of many architectures a part."""
    factor, unit = axis_scale(points.cost_name, points.cost)
    figure = go.Figure(layout=layout(f"{formats.cost_title(points.cost_name)}{unit}", "Predicted accuracy (%)"))
    rows = np.arange(len(points.cost))
    if len(rows) > MAX_DOTS:
        rows = np.sort(np.random.default_rng(0).choice(rows, size=MAX_DOTS, replace=False))
    for number, name in enumerate(points.groups):
        some = rows[points.group[rows] == number]
        size = int(np.sum(points.group == number))
        figure.add_scatter(
            x=[float(f"{value / factor:.5g}") for value in points.cost[some]],
            y=np.round(points.accuracy_percent[some], 3),
            name=f"{name} ({size:,})",
            mode="markers",
            marker={"color": _COLOURS[number % len(_COLOURS)], "size": 4, "opacity": 0.6},
            hovertemplate="%{x:.4g}, %{y:.1f}%<extra>%{fullData.name}</extra>",
        )
    return figure

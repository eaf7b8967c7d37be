"""Curves and groups are drawn as they are, and nothing where there is nothing."""

from dataclasses import replace

import numpy as np

from surrogate_nas.report.plots.supernet_plots import MAX_DOTS, Curve, SupernetPoints, supernet_figures

RNG = np.random.default_rng(0)
POINTS = SupernetPoints(
    curves=[Curve("supernet 0", np.array([5.0, 15.0]), np.array([2.0, 1.5])), Curve("parent", np.ones(1), np.ones(1))],
    groups=("few", "many"),
    group=np.arange(4000) % 2,
    cost_name="latency_ms",
    cost=RNG.uniform(1, 2, 4000),
    accuracy_percent=RNG.uniform(50, 60, 4000),
)


def test_every_training_is_a_line_and_every_group_a_colour() -> None:
    figures = supernet_figures(POINTS)
    training, groups = figures["training"][1], figures["groups"][1]
    assert [(trace.name, list(trace.y)) for trace in training.data] == [("supernet 0", [2.0, 1.5]), ("parent", [1.0])]
    assert [trace.name for trace in groups.data] == ["few (2,000)", "many (2,000)"]
    assert sum(len(trace.x) for trace in groups.data) == MAX_DOTS
    assert len({trace.marker.color for trace in groups.data}) == 2


def test_what_is_not_known_is_left_out() -> None:
    assert supernet_figures(replace(POINTS, curves=[], groups=("all",))) == {}

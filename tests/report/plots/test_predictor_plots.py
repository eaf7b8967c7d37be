"""Plots hold the right data, checked on the figures and not on pictures."""

from dataclasses import replace

import numpy as np
import pytest

from surrogate_nas.report.facts.whole import StudyFacts
from surrogate_nas.report.plots.predictor_plots import (
    MAX_DOTS,
    PlotPoints,
    figure_html,
    front_figure,
    kept_points,
    plotly_script,
    trust_figure,
)


def test_all_of_the_pareto_set_is_kept_and_the_rest_thinned() -> None:
    pareto = np.zeros(20_000, dtype=bool)
    pareto[[3, 17_000, 19_999]] = True
    kept = kept_points(pareto)
    assert len(kept) == MAX_DOTS + 3
    assert np.array_equal(kept, np.unique(kept))
    assert set(np.flatnonzero(pareto)) <= set(kept.tolist())
    assert np.array_equal(kept, kept_points(pareto))


def test_a_small_space_is_kept_whole() -> None:
    assert kept_points(np.array([True, False, False])).tolist() == [0, 1, 2]


def test_the_front_is_sorted_by_cost_and_hover_names_architectures(facts: StudyFacts, points: PlotPoints) -> None:
    figure = front_figure(facts, points)
    traces = {trace.name: trace for trace in figure.data}
    assert len(traces["space"].x) == 190
    front = list(traces["Pareto front"].x)
    assert front == sorted(front)
    assert len(front) == 10
    assert "nor_conv_3x3" in traces["Pareto front"].hovertext[0]
    assert " ms" in traces["Pareto front"].hovertext[0]
    assert {trace.type for trace in figure.data} == {"scatter"}


def test_budget_and_answer_are_in_the_units_of_the_axis(facts: StudyFacts, points: PlotPoints) -> None:
    chosen = facts.answer.chosen
    assert chosen is not None
    ranges = tuple(replace(item, budget=50e6 if item.cost == "flops" else None) for item in facts.made.cost_ranges)
    by_flops = replace(facts, primary_cost="flops", made=replace(facts.made, cost_ranges=ranges))
    figure = front_figure(by_flops, replace(points, cost=points.cost * 1e7))
    assert figure.layout.xaxis.title.text == "FLOPs (multiply-accumulates), M"
    assert figure.layout.shapes[0].x0 == 50
    assert figure.data[-1].x[0] == pytest.approx(41.234)


def test_no_budget_no_line_and_no_answer_no_star(infeasible: StudyFacts, points: PlotPoints) -> None:
    without = tuple(replace(item, budget=None) for item in infeasible.made.cost_ranges)
    figure = front_figure(replace(infeasible, made=replace(infeasible.made, cost_ranges=without)), points)
    assert not figure.layout.shapes
    assert [trace.name for trace in figure.data] == ["space", "Pareto front"]


def test_a_broken_architecture_does_not_stretch_the_axis(facts: StudyFacts, points: PlotPoints) -> None:
    accuracy = points.accuracy_percent.copy()
    accuracy[0] = 0.0
    low, high = front_figure(facts, replace(points, accuracy_percent=accuracy)).layout.yaxis.range
    assert 20 < low < accuracy[1:].min()
    assert high > accuracy.max()


def test_names_in_hover_text_are_inert(facts: StudyFacts, points: PlotPoints) -> None:
    hostile = replace(points, architectures=["</script><script>alert(1)</script>"] * 200)
    html = figure_html(front_figure(facts, hostile), "front")
    assert "alert(1)" in html
    assert "<script>alert" not in html


def test_out_of_fold_predictions_are_plotted_against_labels(points: PlotPoints) -> None:
    cloud = trust_figure(points).data[-1]
    assert np.allclose(cloud.x, points.label_percent, atol=1e-3)
    assert np.allclose(cloud.y, points.out_of_fold_percent, atol=1e-3)


def test_nothing_to_plot_is_an_empty_figure(points: PlotPoints) -> None:
    empty = np.zeros(0)
    assert not trust_figure(replace(points, label_percent=empty, out_of_fold_percent=empty)).data


def test_lengths_must_agree(points: PlotPoints) -> None:
    with pytest.raises(ValueError, match=r"digits must have one entry per point, 200 \(got 1\)"):
        replace(points, digits=["000000"])


def test_the_script_is_whole_and_cannot_end_the_element() -> None:
    script = plotly_script()
    assert len(script) > 1_000_000
    assert "</script" not in script.lower()

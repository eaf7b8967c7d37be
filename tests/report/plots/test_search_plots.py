"""Figures of the search show what was computed, in files that need no network."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.report.plots.search_plots import (
    SearchPoints,
    cost_figure,
    importance,
    importance_figure,
    operations_figure,
    search_figures,
    trials_figure,
    winning_shares,
    write_plots,
)

RNG = np.random.default_rng(0)
CODES = RNG.integers(0, 3, (500, 2))
ACCURACY = 50 + 10.0 * CODES[:, 1] + RNG.normal(size=500)


@pytest.fixture
def points() -> SearchPoints:
    return SearchPoints(
        codes=CODES,
        decisions=["first", "second"],
        choices=[["none", "skip_connect", "nor_conv_3x3"]] * 2,
        accuracy_percent=ACCURACY,
        feasible=CODES[:, 0] < 2,
        typical=np.ones(500, dtype=np.bool_),
        costs={
            "latency_ms": ((1 + CODES[:, 0]).astype(np.float64), 2.5),
            "latency_ms[pixel3]": ((1 + CODES[:, 1]).astype(np.float64), 2.0),
        },
        trial_accuracy_percent=np.array([60.0, 90.0, 55.0, 70.0]),
        trial_feasible=np.array([True, False, True, True]),
    )


def test_importance_is_the_variance_between_choices() -> None:
    shares = importance(CODES, ACCURACY)
    assert shares[0] < 0.02
    means = np.array([ACCURACY[CODES[:, 1] == choice].mean() for choice in range(3)])
    assert shares[1] == pytest.approx(means[CODES[:, 1]].var() / ACCURACY.var())
    assert importance(CODES, np.ones(500)).tolist() == [0, 0]


def test_the_best_line_takes_no_account_of_what_is_infeasible(points: SearchPoints) -> None:
    best = next(trace for trace in trials_figure(points).data if trace.name == "best feasible")
    assert list(best.y) == [60.0, 60.0, 60.0, 70.0]


def test_a_histogram_of_upper_bounds_is_called_so(points: SearchPoints) -> None:
    figures = search_figures(replace(points, bounded=frozenset({"latency_ms"})))
    title, figure = figures["cost-latency-ms"]
    assert title == "Upper bound of latency of all architectures, and the budget"
    assert figure.layout.xaxis.title.text == "Upper bound of latency (ms)"
    assert figures["cost-latency-ms-pixel3"][0] == "Latency on pixel3 of all architectures, and the budget"


def test_winners_are_the_best_feasible(points: SearchPoints) -> None:
    names, shares = winning_shares(points)
    assert names == ("none", "skip_connect", "nor_conv_3x3")
    assert shares.sum(axis=0) == pytest.approx([1, 1])
    assert shares[2].tolist() == [0, 1]
    assert operations_figure(points).data[0].z[2][1] == 100


def test_the_histogram_counts_every_architecture(points: SearchPoints) -> None:
    [bars] = cost_figure(points, "latency_ms").data
    assert sum(bars.y) == 500


def test_every_plot_is_a_file_that_opens_offline(points: SearchPoints, tmp_path: Path) -> None:
    paths = write_plots(tmp_path / "plots", search_figures(points))
    assert [path.stem for path in paths] == list(search_figures(points))
    assert {"trials", "importance", "operations", "cost-latency-ms", "cost-latency-ms-pixel3"} <= {
        p.stem for p in paths
    }
    assert (tmp_path / "plots" / "plotly.min.js").exists()
    assert all("https://cdn" not in path.read_text() for path in paths)


def test_shares_are_of_architectures_that_stand_for_the_space(points: SearchPoints) -> None:
    # As in a space too large to list, which lists what keeps a budget, too.
    typical = np.arange(500) < 300
    cheap = np.where(typical, points.costs["latency_ms"][0], 1.0)
    points = replace(points, typical=typical, costs={"latency_ms": (cheap, 2.5)})
    figure = cost_figure(points, "latency_ms")
    share = np.mean(cheap[:300] <= 2.5)
    assert f"{share:.0%} meet it" in figure.layout.annotations[0].text
    assert sum(figure.data[0].y) == 300
    of_typical = importance(CODES[:300], ACCURACY[:300])
    assert list(importance_figure(points).data[0].y) == pytest.approx(np.round(100 * of_typical, 2))

"""Axes say their unit."""

import numpy as np

from surrogate_nas.report.plots.style import axis_scale, layout


def test_units_of_axes() -> None:
    assert axis_scale("latency_ms", np.array([3.0])) == (1.0, " (ms)")
    assert axis_scale("latency_ms[pixel3]", np.array([3.0])) == (1.0, " (ms)")
    assert axis_scale("flops", np.array([3e6, 5e7])) == (1e6, ", M")
    assert axis_scale("params", np.array([3.0])) == (1.0, "")


def test_the_layout_has_both_titles() -> None:
    made = layout("across", "up")
    assert made["xaxis"]["title"]["text"] == "across"  # type: ignore[index]
    assert made["yaxis"]["title"]["text"] == "up"  # type: ignore[index]

"""The benchmark trains what it draws, and goes on where it stopped."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.trained_truth import drawn_codes, main
from surrogate_nas.hardware.counted.analytic import AnalyticCosts
from surrogate_nas.space.load import load_space
from surrogate_nas.study.problem.budget_band import PricedDraws


def test_architectures_are_drawn_below_the_budget() -> None:
    space = load_space("quick_widths")
    codes = drawn_codes(PricedDraws(space, AnalyticCosts(space, space.network).evaluate), "60k", 10, draw=0)
    flops = space.flops(codes, space.network)
    assert len(np.unique(codes, axis=0)) == len(codes) == 10
    assert ((flops <= 60_000) & (flops >= 30_000)).all()


def test_a_run_goes_on_where_it_stopped(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "truth.csv"
    words = ["--data", photos, "--output", output, "--space", "quick_widths", "--flops-budget", "60k", "--count", "3"]
    first = [*map(str, words), "--images", "40", "--epochs", "2"]
    assert main([*first, "--part", "0/2"]) == 0
    half = output.read_text(encoding="utf-8")
    assert main(first) == 0
    whole = output.read_text(encoding="utf-8")
    assert whole.startswith(half)
    assert (len(half.splitlines()), len(whole.splitlines())) == (3, 4)
    assert all(0 <= float(line.split(",")[1]) <= 100 for line in whole.splitlines()[1:])
    capsys.readouterr()

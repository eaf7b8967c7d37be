"""Intervals on made-up labels hold about as many as they state."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.coverage import main
from surrogate_nas.space.load import load_space


@pytest.mark.slow
def test_it_says_how_many_labels_were_held(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    space, rng = load_space("nasbench201"), np.random.default_rng(0)
    codes = space.sample(800, rng, replace=False)
    values = space.nonlinear_count(codes) + rng.normal(0, 0.7, 800)
    rows = list(zip(space.digits(codes), (50 + values).tolist(), strict=True))
    labels, truth = tmp_path / "labels.csv", tmp_path / "truth.csv"
    labels.write_text("code,one\n" + "".join(f"{code},{value:.3f}\n" for code, value in rows))
    truth.write_text(
        "code,cifar10_valid,cifar10_test\n" + "".join(f"{code},{value:.3f},{value:.3f}\n" for code, value in rows)
    )
    given = ["--labels", str(labels), "--columns", "one", "--truth", str(truth), "--train", "300", "--model", "ridge"]
    assert main([*given, "--seeds", "2", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)["one"]
    assert 0.7 < figures["coverage"][0] < 0.9
    assert 0.7 < figures["stated"][0] < 0.9
    assert 0 < figures["width"][0] < 1
    assert main([*given, "--seeds", "1"]) == 0
    assert "coverage 0." in capsys.readouterr().out


def test_options_out_of_range_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--labels", "a.csv", "--columns", "one", "--truth", "b.csv", "--train", "-1"]
    assert main(given) != 0
    assert "--train" in capsys.readouterr().err

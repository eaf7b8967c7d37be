"""A study sends what its stages have found, once, and a resumed one nothing twice."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixtures.event_files import scalars
from tests.study.command_words import error_line

RunHere = Callable[..., tuple[int, str, str]]


@pytest.mark.slow
def test_every_stage_is_sent_once(run_copy: Path, here: RunHere) -> None:
    pytest.importorskip("tensorboard")
    words = ("--output-dir", run_copy, "--resume", "--track", "tensorboard", "--quiet")
    assert here(*words)[0] == 0
    found = scalars(run_copy / "tensorboard" / "study")
    report = json.loads((run_copy / "report.json").read_text(encoding="utf-8"))
    chosen = report["answer"]["chosen"]
    tau = report["trust"]["predictor"]["tau"]["value"]
    assert dict(found["predictor/tau"])[0] == pytest.approx(tau, abs=1e-5)
    assert found["winner/accuracy percent predicted"][0][1] == pytest.approx(chosen["accuracy_percent"]["value"])
    assert found["labels/architectures"] == [(0, 40)]
    assert found["images/train"] == [(0, 160)]
    assert found["search/trials"][0][1] > 0
    assert found["winner/flops predicted"][0][1] > 0
    assert found["winner/latency_ms measured"][0][1] > 0
    assert "seconds/supernets" in found
    assert any(name.startswith("loss/") and len(points) > 5 for name, points in found.items())
    assert len(found["settings"]) == 1
    # Again: the search is as it was, and so is what was sent.
    assert here(*words)[0] == 0
    again = scalars(run_copy / "tensorboard" / "study")
    assert all(name.startswith("seconds/") for name in again if again[name] != found[name])


def test_a_tracker_that_is_missing_is_refused_before_any_work(
    tiny: Path, tmp_path: Path, here: RunHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    code, out, errors = here(tiny, "--output-dir", tmp_path / "run", "--track", "mlflow")
    assert (code, out) == (2, "")
    assert "install it with: pip install 'surrogate_nas[mlflow]'" in error_line(errors)
    assert not (tmp_path / "run").exists()

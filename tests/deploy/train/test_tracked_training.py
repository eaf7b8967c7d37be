"""A final training sends its loss after every epoch, and its results at the end."""

import importlib.util
from pathlib import Path

import pytest

from surrogate_nas import train_model
from surrogate_nas.errors import SettingsError
from tests.fixtures.event_files import scalars


@pytest.mark.slow
def test_loss_and_results_are_sent_once(digits_copy: Path) -> None:
    pytest.importorskip("tensorboard")
    model = train_model(digits_copy, epochs=3, track="tensorboard", quiet=True)
    train_model(digits_copy, epochs=3, track="tensorboard", quiet=True, resume=True)
    found = scalars(digits_copy / "tensorboard" / "train-333123")
    assert [step for step, _ in found["train/loss"]] == [1, 2, 3]
    assert found["train/loss"][0][1] > found["train/loss"][2][1]
    ((_, accuracy),) = found["test/accuracy percent"]
    assert accuracy == pytest.approx(model.results["test"]["percent"], abs=1e-4)
    lowest = min(one["percent"] for one in model.results["classes"].values())
    assert found["test/lowest class percent"][0][1] == pytest.approx(lowest, abs=1e-4)
    balanced = model.results["balanced"]["percent"]
    assert found["test/balanced accuracy percent"][0][1] == pytest.approx(balanced, abs=1e-4)
    assert "onnx float/latency ms" in found
    assert len(found["settings"]) == 1


def test_a_missing_tracker_is_refused_at_once(finished_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(SettingsError, match=r"pip install 'surrogate_nas\[tensorboard\]'"):
        train_model(finished_run, track="tensorboard")

"""The summary on the terminal."""

from collections.abc import Callable
from pathlib import Path

import pytest

from surrogate_nas.deploy.train.show import show_outcome
from surrogate_nas.deploy.train.trained import Outcome, Variant
from surrogate_nas.runs.console import StudyConsole


def test_measured_beside_predicted(
    outcome_of: Callable[..., Outcome], variant_of: Callable[..., Variant], capsys: pytest.CaptureFixture[str]
) -> None:
    with StudyConsole() as console:
        show_outcome(outcome_of(onnx={"float": variant_of(0.9)}), Path("runs/a"), console)
    shown = capsys.readouterr()
    assert "test accuracy  91.00%" in shown.out
    assert "predicted  70.00%" in shown.out
    assert "OVER the budget" in shown.out
    assert "train another architecture by a tighter --latency-budget" in shown.err
    assert "python -m surrogate_nas.predict runs/a/models/333123 IMAGE..." in shown.err

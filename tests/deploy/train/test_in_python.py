"""A final training is one call, with the refusals of the command."""

from pathlib import Path

import pytest

from surrogate_nas import train_model
from surrogate_nas.errors import InfeasibleBudgetError, RunFolderError, SettingsError


def test_a_model_is_trained_for_a_budget_and_its_facts_come_back(digits_copy: Path) -> None:
    facts = train_model(digits_copy, budgets={"latency": "2.5ms"}, epochs=1)
    assert (facts.code, facts.budgets) == ("311141", {"latency_ms": 2.5})
    assert (digits_copy / "models" / "311141" / "model.onnx").is_file()
    assert 0 <= facts.test.percent <= 100
    with pytest.raises(RunFolderError, match="resume"):
        train_model(digits_copy, budgets={"latency": "2.5ms"}, epochs=1)


def test_what_cannot_be_trained_is_refused(finished_run: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="exclude each other"):
        train_model(finished_run, budgets={"latency": "3ms"}, arch="333123")
    with pytest.raises(InfeasibleBudgetError):
        train_model(finished_run, budgets={"latency": "0.1ms"})
    with pytest.raises(RunFolderError, match="is no run folder"):
        train_model(tmp_path)

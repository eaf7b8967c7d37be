"""A final training is one call, with the options and the refusals of the command."""

import inspect
from pathlib import Path
from typing import get_type_hints

import pytest

from surrogate_nas import Classifier, train_model
from surrogate_nas.cli.train import train
from surrogate_nas.deploy.train.in_python import TrainOptions
from surrogate_nas.errors import InfeasibleBudgetError, RunFolderError, SettingsError


@pytest.mark.slow
def test_a_model_is_trained_for_a_budget_and_comes_back(digits_copy: Path) -> None:
    model = train_model(digits_copy, latency_budget="2.5ms", epochs=1, int8=True, quiet=True)
    assert model.folder == digits_copy / "models" / "311141"
    assert model.accuracy is not None
    assert model.accuracy.images == 1497
    assert model.results["budgets"] == {"latency_ms": 2.5}
    assert sorted(model.results["onnx"]) == ["float", "int8"]
    assert model.results["command"] == (
        f"train_model({str(digits_copy)!r}, latency_budget='2.5ms', epochs=1, int8=True)"
    )
    with pytest.raises(RunFolderError, match="resume"):
        train_model(digits_copy, latency_budget="2.5ms", epochs=1)
    again = train_model(digits_copy, latency_budget="2.5ms", epochs=1, resume=True, quiet=True)
    assert again.results["test"] == model.results["test"]
    assert Classifier.load(model.folder).class_names == tuple("0123456789")


def test_python_has_the_options_of_the_command() -> None:
    of_command = set(inspect.signature(train).parameters) - {"run", "budgets", "as_json", "version"}
    assert {name for name in get_type_hints(TrainOptions) if not name.endswith("_budget")} == of_command


def test_what_cannot_be_trained_is_refused(finished_run: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="exclude each other"):
        train_model(finished_run, latency_budget="3ms", arch="333123")
    with pytest.raises(SettingsError, match="unknown option 'epoch'; choose from "):
        train_model(finished_run, epoch=3)  # type: ignore[call-arg]
    with pytest.raises(SettingsError, match="--epochs must be from 1 to 10,000"):
        train_model(finished_run, epochs=0)
    with pytest.raises(SettingsError, match="--rival resnet19 is no known network"):
        train_model(finished_run, rival="resnet19")
    with pytest.raises(SettingsError, match="--int8 must be True or False"):
        train_model(finished_run, int8="no")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="--from must be one of scratch, supernet, pretrained"):
        train_model(finished_run, start="nowhere")  # type: ignore[arg-type]
    with pytest.raises(InfeasibleBudgetError):
        train_model(finished_run, latency_budget="0.1ms")
    with pytest.raises(RunFolderError, match="is not a run folder"):
        train_model(tmp_path)
    with pytest.raises(RunFolderError, match="is a part of a run folder; give the run folder"):
        train_model(finished_run / "best")

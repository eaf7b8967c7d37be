"""The command as a user runs it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from surrogate_nas.cli.train import main
from surrogate_nas.export.runtimes.table import EXPORTS

Train = Callable[..., tuple[int, str, str]]


def test_the_answer_as_json(trained_run: Path) -> None:
    answer = json.loads((trained_run / "answer.json").read_text())
    assert answer["code"] == "333123"
    assert answer["test"]["percent"] > 50
    assert list(answer["onnx"]) == ["float", "int8"]
    assert answer["onnx"]["float"]["keeps_latency_budget"] is True
    assert answer["recipe"].startswith("characters: 8 epochs")
    assert "recipe: characters: 8 epochs" in (trained_run / "models" / "333123" / "log.txt").read_text()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--arch", "999999"], 2, "--arch"),
        (["--latency-budget", "0.01ms"], 3, "no architecture meets"),
        (["--latency-budget", "soon"], 2, "soon"),
        (["--from", "nowhere"], 2, "--from must be one of scratch, supernet, pretrained"),
        (["--learning-rate", "0"], 2, "--learning-rate must be above 0"),
        (["--compute-device", "abacus"], 2, "must be auto, cpu, cuda"),
        (["--epochs", "0"], 2, "--epochs"),
        (["--set", "training.mixup=1.5"], 2, "training.mixup: input should be less than or equal to 1"),
        (["--set", "training.teacher=303101"], 2, "the teacher 303101 takes"),
        (["--set", "training.teacher=333333", "--set", "training.teacher_budget=2"], 2, "exclude each other"),
        (["--set", "mixup"], 2, "--set takes key=value"),
    ],
)
def test_errors_are_one_line(finished_run: Path, train: Train, words: list[str], code: int, message: str) -> None:
    got, out, err = train(finished_run, *words)
    assert got == code
    assert message in err
    assert out == ""
    assert err.strip().count("\n") == 0
    assert not (finished_run / "models").exists()


def test_help_names_every_format(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert all(name in said.partition("--export")[2].partition("--compute-device")[0] for name in EXPORTS)

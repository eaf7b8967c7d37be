"""Missing options come from the study and the recipe, and impossible values are refused."""

from pathlib import Path
from typing import Any

import pytest

from surrogate_nas.deploy.train.train_request import TrainRequest
from surrogate_nas.errors import SettingsError


def test_defaults() -> None:
    request = TrainRequest(Path("run"))
    assert (request.epochs, request.seed, request.start) == (None, None, "scratch")
    assert (request.resume, request.overwrite, request.int8) == (False, False, False)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("start", "nowhere", "--from must be scratch or supernet (got 'nowhere')"),
        ("learning_rate", 0.0, "--learning-rate must be above 0 and at most 100 (got 0.0)"),
        ("learning_rate", float("nan"), "--learning-rate must be above 0"),
        ("epochs", 0, "--epochs must be from 1 to 10,000 (got 0)"),
        ("batch_size", 65_537, "--batch-size must be from 1 to 65,536 (got 65,537)"),
        ("seed", -1, "--seed must be from 0 to"),
        ("threads", 0, "--threads must be from 1 to 1,024 (got 0)"),
    ],
)
def test_impossible_values_are_refused(option: str, value: Any, message: str) -> None:  # noqa: ANN401
    with pytest.raises(SettingsError) as caught:
        TrainRequest(Path("run"), **{option: value})
    assert str(caught.value).startswith(message)


def test_going_on_and_beginning_anew_exclude_each_other() -> None:
    with pytest.raises(SettingsError, match="--resume and --overwrite exclude each other"):
        TrainRequest(Path("run"), resume=True, overwrite=True)

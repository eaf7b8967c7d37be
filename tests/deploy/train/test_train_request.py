"""Missing options come from the study and the recipe, and impossible values are refused."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from surrogate_nas.deploy.train.train_request import TrainRequest
from surrogate_nas.errors import SettingsError


def test_defaults() -> None:
    request = TrainRequest(Path("run"))
    assert (request.epochs, request.seed, request.start) == (None, None, None)
    assert (request.resume, request.overwrite, request.int8) == (False, False, False)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("start", "nowhere", "--from must be one of scratch, supernet, pretrained (got 'nowhere')"),
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


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "training.mixup",
            1.5,
            "training.mixup: input should be less than or equal to 1 (got 1.5) on the command line",
        ),
        ("training.cutmix", -0.1, "training.cutmix: input should be greater than or equal to 0"),
        ("training.crop", 0, "training.crop: input should be greater than 0"),
        ("training.teacher_budget", 1, "training.teacher_budget: input should be greater than 1"),
        ("training.mixip", 0.2, "unknown setting 'training.mixip' on the command line; did you mean training.mixup?"),
        ("supernet.steps", 5, "unknown setting 'supernet' on the command line; choose from training."),
    ],
)
def test_impossible_settings_are_refused(key: str, value: Any, message: str) -> None:  # noqa: ANN401
    with pytest.raises(SettingsError) as caught:
        TrainRequest(Path("run"), settings={key: value})
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_settings_that_exclude_each_other_are_refused() -> None:
    with pytest.raises(SettingsError, match="teacher and teacher_budget exclude each other"):
        TrainRequest(Path("run"), settings={"training.teacher": 333333, "training.teacher_budget": 2})
    with pytest.raises(SettingsError, match=r"--batch-size and --set training\.batch_size exclude each other"):
        TrainRequest(Path("run"), batch_size=8, settings={"training.batch_size": 16})


def test_only_what_was_asked_for_is_set() -> None:
    asked = TrainRequest(Path("run"), epochs=3, settings={"training.mixup": 0.2, "training.teacher": 333333}).asked()
    assert asked.model_fields_set == {"epochs", "mixup", "teacher"}
    assert (asked.epochs, asked.mixup, asked.teacher) == (3, 0.2, "333333")


def test_going_on_and_beginning_anew_exclude_each_other() -> None:
    with pytest.raises(SettingsError, match="--resume and --overwrite exclude each other"):
        TrainRequest(Path("run"), resume=True, overwrite=True)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epochs": 1.5}, "--epochs must be a whole number (got 1.5)"),
        ({"batch_size": "64"}, "--batch-size must be a whole number (got '64')"),
        ({"seed": True}, "--seed must be a whole number (got True)"),
        ({"learning_rate": "0.1"}, "--learning-rate must be a number (got '0.1')"),
    ],
)
def test_a_value_of_another_kind_is_refused(tmp_path: Path, given: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(message)):
        TrainRequest(tmp_path, **given)  # type: ignore[arg-type]


def test_numbers_of_numpy_are_numbers() -> None:
    asked = TrainRequest(Path("run"), epochs=np.int64(3), learning_rate=np.float32(0.5)).asked()  # type: ignore[arg-type]
    assert (asked.epochs, asked.learning_rate) == (3, 0.5)
    assert type(asked.epochs) is int

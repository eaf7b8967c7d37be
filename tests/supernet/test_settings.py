"""Settings contradict themselves in no accepted combination, and say of every field what it is for."""

from typing import Any

import pytest
from pydantic import ValidationError

from surrogate_nas.supernet.settings import SupernetSettings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bands": [[0, 1], [2, 3]], "split": "none"}, "bands belong to split = 'nonlinear'"),
        ({"final_learning_rate": 0.2}, "final_learning_rate must not be above learning_rate"),
        ({"thresholds": [0.5]}, "thresholds and shared_stages belong to sharing = 'depth'"),
        ({"shared_stages": 1}, "thresholds and shared_stages belong to sharing = 'depth'"),
        ({"sharing": "depth", "thresholds": [1.0]}, "less than 1"),
        ({"batch_size": 1}, "greater than or equal to 2"),
        ({"momentum": 1.0}, "less than 1"),
        ({"clip_norm": 0}, "greater than 0"),
        ({"epochs": 3}, "Extra inputs are not permitted"),
    ],
)
def test_what_does_not_fit_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SupernetSettings(**settings)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        SupernetSettings().steps = 3  # type: ignore[misc]


def test_every_field_is_described() -> None:
    assert all(field.description for field in SupernetSettings.model_fields.values())


def test_names_order_and_defaults_are_those_that_checkpoints_were_made_with() -> None:
    assert SupernetSettings().model_dump() == {
        "split": "nonlinear",
        "groups": 2,
        "bands": None,
        "sharing": "whole",
        "thresholds": None,
        "shared_stages": None,
        "sampler": "balanced",
        "channels": 8,
        "cells": 1,
        "steps": 20_000,
        "batch_size": 64,
        "learning_rate": 0.1,
        "final_learning_rate": 0.0,
        "momentum": 0.9,
        "weight_decay": 5e-4,
        "clip_norm": 5.0,
        "checkpoint_seconds": 30.0,
    }

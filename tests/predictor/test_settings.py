"""Settings refuse what they do not know, and name it."""

from typing import get_args

import pytest
from pydantic import ValidationError

from surrogate_nas.predictor.model_table import MODELS
from surrogate_nas.predictor.models.losses import LOSSES
from surrogate_nas.predictor.settings import PredictorSettings


def choices_of(field: str) -> set[str]:
    return set(get_args(PredictorSettings.model_fields[field].annotation))


def test_the_models_and_losses_to_choose_from_are_those_that_exist() -> None:
    assert choices_of("model") == {*MODELS, "auto"}
    assert choices_of("loss") == set(LOSSES)


@pytest.mark.parametrize(
    ("field", "value"), [("model", "oracle"), ("widht", 64), ("folds", 1), ("ensemble", 0), ("learning_rate", 0.0)]
)
def test_a_wrong_setting_is_named(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        PredictorSettings.model_validate({field: value})


def test_every_setting_is_described() -> None:
    assert all(field.description for field in PredictorSettings.model_fields.values())

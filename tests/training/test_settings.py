"""Settings of a final training refuse what contradicts itself or lies out of bounds."""

import pytest
from pydantic import ValidationError

from surrogate_nas.training.settings import FinalSettings, TrainingSettings


def test_a_network_of_random_weights_learns_in_all_layers_from_the_first_step() -> None:
    tuned = TrainingSettings(layer_decay=0.9, head_share=0.1, epochs=7)
    assert tuned.of_random_weights() == TrainingSettings(epochs=7)


def test_there_is_one_teacher_at_most() -> None:
    assert FinalSettings(teacher="333333").teacher_budget is None
    assert FinalSettings(teacher_budget=2.0).teacher is None
    with pytest.raises(ValidationError, match="teacher and teacher_budget exclude each other"):
        FinalSettings(teacher="333333", teacher_budget=2.0)


def test_a_code_of_digits_is_a_text() -> None:
    assert FinalSettings.model_validate({"teacher": 123}).teacher == "123"


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [("mixup", 0, 1), ("cutmix", 0, 1), ("trivial_augment", 0, 1), ("erasing", 0, 1), ("crop", 0.01, 1)],
)
def test_shares_lie_between_0_and_1(name: str, least: float, most: float) -> None:
    for value in (least, most):
        assert getattr(FinalSettings.model_validate({name: value}), name) == value
    for value in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValidationError):
            FinalSettings.model_validate({name: value})


def test_a_setting_of_later_is_part_of_the_identity_only_where_it_is_set() -> None:
    assert "balance" not in FinalSettings().identity()
    assert FinalSettings(balance=True).identity()["balance"] is True
    assert "layer_decay" not in TrainingSettings().identity()

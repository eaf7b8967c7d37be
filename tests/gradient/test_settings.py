"""Choices replace parts of a method; the ones that contradict each other are refused by their names."""

import pytest
from pydantic import ValidationError

from surrogate_nas.gradient.methods import METHODS
from surrogate_nas.gradient.settings import GradientSettings


@pytest.mark.parametrize("name", METHODS)
def test_a_method_alone_is_its_row(name: str) -> None:
    assert GradientSettings(method=name).row == METHODS[name]


def test_choices_replace_parts_of_a_method() -> None:
    row = GradientSettings(method="gdas", weights_see="uniform", begins=0.5, every=3).row
    assert (row.weights_see, row.distribution_sees, row.begins, row.every) == ("uniform", "hard", 0.5, 3)


def test_no_method_learns_nothing() -> None:
    assert not GradientSettings().learns


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"method": "gdas", "order": 2}, ("order", "distribution_sees")),
        ({"method": "setn", "order": 2}, ("order", "weights_see")),
        ({"method": "rsps", "begins": 0.5}, ("begins", "distribution_sees")),
        ({"method": "rsps", "every": 2}, ("every", "distribution_sees")),
        ({"method": "rsps", "rate": 0.1}, ("rate", "distribution_sees")),
        ({"method": "rsps", "cost_weight": 0.1}, ("cost_weight", "distribution_sees")),
        ({"method": "enas", "cost_weight": 0.1}, ("cost_weight", "method")),
        ({"method": "enas", "distribution_sees": "gate"}, ("distribution_sees", "method")),
        ({"method": "enas", "weights_see": "mixture"}, ("weights_see", "method")),
    ],
)
def test_contradictions_name_both_settings(given: dict[str, object], names: tuple[str, str]) -> None:
    with pytest.raises(ValidationError) as caught:
        GradientSettings.model_validate(given)
    message = caught.value.errors()[0]["msg"]
    assert all(name in message for name in names)

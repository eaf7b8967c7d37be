"""Choices replace parts of a method; the ones that contradict each other are refused by their names."""

import pytest
from pydantic import ValidationError

from surrogate_nas.gradient.methods import METHODS
from surrogate_nas.gradient.settings import GradientSettings
from surrogate_nas.supernet.settings import SupernetSettings


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
        ({"method": "darts", "entropy": 0.5}, ("entropy", "distribution_sees")),
        ({"method": "rsps", "entropy": 0.5}, ("entropy", "distribution_sees")),
        ({"method": "rsps", "cost_weight": 0.1}, ("cost_weight", "distribution_sees")),
        ({"method": "enas", "cost_weight": 0.1}, ("cost_weight", "method")),
        ({"method": "enas", "distribution_sees": "gate"}, ("distribution_sees", "method")),
        ({"method": "enas", "weights_see": "mixture"}, ("weights_see", "method")),
        ({"split": "edge"}, ("split", "method")),
        ({"method": "darts", "split": "nonlinear"}, ("split", "weights_see")),
        ({"method": "setn", "split": "nonlinear"}, ("split", "distribution_sees")),
        ({"method": "gdas", "split": "nonlinear", "weights_see": "gumbel"}, ("split", "weights_see")),
        ({"method": "darts", "split": "edge", "split_rounds": 1}, ("split_rounds", "split")),
        ({"method": "darts", "split": "edge", "groups": 3}, ("groups", "split")),
        ({"method": "darts", "split": "gradient", "split_edge": "1<-0"}, ("split_edge", "split")),
        ({"method": "darts", "split_batches": 3}, ("split_batches", "split")),
        ({"method": "darts", "split": "gradient", "parent_share": 0.0}, ("split", "parent_share")),
        ({"method": "darts", "split": "edge", "inherit": "nothing"}, ("inherit", "split")),
        ({"method": "darts", "parent_share": 0.5}, ("parent_share", "split")),
        ({"method": "darts", "inherit": "state"}, ("inherit", "split")),
    ],
)
def test_contradictions_name_both_settings(given: dict[str, object], names: tuple[str, str]) -> None:
    with pytest.raises(ValidationError) as caught:
        GradientSettings.model_validate(given)
    message = caught.value.errors()[0]["msg"]
    assert all(name in message for name in names)


@pytest.mark.parametrize("name", [name for name, row in METHODS.items() if row.weights_see != "mixture"])
def test_methods_that_draw_paths_go_with_every_split(name: str) -> None:
    row = METHODS[name]
    for split in ("none", "edge", "gradient", "nonlinear"):
        if split == "nonlinear" and {row.weights_see, row.distribution_sees} & {"mixture", "gumbel"}:
            continue
        assert GradientSettings(method=name, split=split).supernet(SupernetSettings()).split == split


def test_trainings_have_the_sizes_of_the_supernet_and_steps_of_their_own() -> None:
    supernet = SupernetSettings(preset="soft", channels=12, batch_size=48, learning_rate=0.2, steps=77)
    made = GradientSettings(method="rsps", split="nonlinear", groups=3, steps=50).supernet(supernet)
    assert (made.channels, made.batch_size, made.learning_rate, made.steps) == (12, 48, 0.2, 50)
    assert (made.split, made.groups, made.sharing, made.parent_keeps, made.own_share) == ("nonlinear", 3, "whole", 0, 1)

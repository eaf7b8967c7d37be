"""Settings reject what cannot be meant."""

import pytest
from pydantic import ValidationError

from surrogate_nas.search.sampler_table import BY_LENGTHS
from surrogate_nas.search.settings import SearchSettings


def test_the_default_is_an_exact_scan_for_a_budget() -> None:
    settings = SearchSettings()
    assert (settings.sampler, settings.goal) == ("predictor", "budget")


@pytest.mark.parametrize(
    "wrong", [{"sampler": "grid"}, {"trials": 0}, {"batch": 1}, {"infeasible_share": 0.6}, {"tirals": 5}]
)
def test_impossible_settings_name_the_field(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        SearchSettings.model_validate(wrong)


@pytest.mark.parametrize("name", BY_LENGTHS)
def test_searches_by_lengths_point_to_the_trainings(name: str) -> None:
    with pytest.raises(ValidationError, match=f"{name} .*loop.lengths"):
        SearchSettings.model_validate({"sampler": name})


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"sampler": "reinforce", "goal": "pareto"}, "search.goal"),
        ({"sampler": "tpe", "acquisition": "ei"}, "search.acquisition"),
    ],
)
def test_a_sampler_that_cannot_use_a_setting_refuses_it_and_names_both(wrong: dict[str, str], named: str) -> None:
    with pytest.raises(ValidationError, match=f"search.sampler = '{wrong['sampler']}'") as raised:
        SearchSettings.model_validate(wrong)
    assert named in str(raised.value)

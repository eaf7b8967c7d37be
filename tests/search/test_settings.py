"""Settings reject what cannot be meant."""

import pytest
from pydantic import ValidationError

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

"""Settings that are wrong are refused where they are made."""

import pytest
from pydantic import ValidationError

from surrogate_nas.hardware.settings import HardwareSettings, TimingSettings


@pytest.mark.parametrize(
    "wrong",
    [{"batch": 0}, {"threads": 0}, {"whole_networks": 3}, {"thread": 1}, {"timing": {"seconds": 0}}, {"device": None}],
)
def test_wrong_settings(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        HardwareSettings.model_validate(wrong)


def test_the_most_repeats_are_never_below_the_fewest() -> None:
    assert TimingSettings(min_repeats=500).most_repeats == 500
    assert TimingSettings(min_repeats=5, max_repeats=9).most_repeats == 9

"""The networks that a study compares with."""

import pytest
from pydantic import ValidationError

from surrogate_nas.rivals.settings import RivalSettings
from surrogate_nas.rivals.table import RIVALS


def test_without_a_choice_all_that_are_installed() -> None:
    assert RivalSettings().chosen() == tuple(name for name, row in RIVALS.items() if row.is_installed)


def test_a_choice_is_kept_in_its_order_and_may_be_empty() -> None:
    assert RivalSettings(names=("resnet44", "resnet20")).chosen() == ("resnet44", "resnet20")
    assert RivalSettings(names=()).chosen() == ()


def test_other_names_are_refused() -> None:
    with pytest.raises(ValidationError):
        RivalSettings.model_validate({"names": ["vgg16"]})

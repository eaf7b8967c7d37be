"""Settings of an identity."""

from pydantic import BaseModel

from surrogate_nas._support.stored.settings_identity import settings_by_name


class Settings(BaseModel):
    steps: int = 3
    every_seconds: float = 1.0
    share: float | str = "auto"


def test_settings_that_decide_nothing_are_left_out() -> None:
    assert settings_by_name(Settings(), without=("every_seconds",)) == {"steps": 3, "share": "auto"}


def test_a_later_setting_is_there_where_it_is_set() -> None:
    later = ("share", "of another class")
    assert settings_by_name(Settings(steps=5), later=later) == {"steps": 5, "every_seconds": 1.0}
    assert settings_by_name(Settings(share=0.5), later=later)["share"] == 0.5

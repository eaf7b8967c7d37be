"""Rivals have rising widths with the published one among them, and know whether their package is there."""

from surrogate_nas._support.late import Late
from surrogate_nas.rivals.rival import WIDTHS, Rival


def test_widths_rise_and_hold_the_published_one() -> None:
    assert list(WIDTHS) == sorted(set(WIDTHS))
    assert 1.0 in WIDTHS


def test_a_package_that_is_not_there_is_known() -> None:
    one = Rival("A", "B", Late("os:getcwd"), package="no_such_package_anywhere")
    assert not one.is_installed
    assert Rival("A", "B", Late("os:getcwd")).is_installed

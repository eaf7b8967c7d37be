"""Facts about a split by gradients that are known before it is found."""

import pytest

from surrogate_nas.errors import SettingsError
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.supernet.splits.gradient import SplitByGradients, check_rounds


def test_it_begins_with_the_whole_space_and_goes_on_for_some_rounds(triangle: CellSpace) -> None:
    rule, settings = SplitByGradients(), SupernetSettings(split="gradient", split_rounds=3)
    assert rule.split(triangle, settings).names == ("whole space",)
    assert rule.rounds(settings) == 3
    assert rule.is_late


def test_more_rounds_than_decisions_are_refused(triangle: CellSpace) -> None:
    check_rounds(triangle, 3)
    with pytest.raises(SettingsError, match=r"split_rounds must be at most 3, the number of decisions of triangle"):
        check_rounds(triangle, 4)


def test_the_second_split_is_at_epoch_40_of_90() -> None:
    assert SplitByGradients.parent_share * 90 == 40  # arXiv 2203.15207

"""Bands that the settings name, or ask for by their number."""

import pytest

from surrogate_nas.errors import SettingsError
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.supernet.splits.bands import equal_bands
from surrogate_nas.supernet.splits.nonlinear import SplitByCount


def names(space: CellSpace, **given: object) -> tuple[str, ...]:
    settings = SupernetSettings.model_validate({"split": "nonlinear"} | given)
    return SplitByCount().split(space, settings).names


def test_bands_are_those_of_the_settings(space: CellSpace) -> None:
    assert names(space, bands=[[3, 0], [1, 2]]) == ("3/0 nonlinear", "1/2 nonlinear")
    bands = equal_bands(space, 3)
    assert names(space, groups=3) == tuple(f"{'/'.join(map(str, band))} nonlinear" for band in bands)


def test_bands_that_do_not_fit_are_refused(space: CellSpace) -> None:
    with pytest.raises(SettingsError, match=r"supernet\.groups must be at most 4"):
        names(space, groups=5)

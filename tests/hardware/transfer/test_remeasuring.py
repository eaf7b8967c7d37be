"""Measuring again is begun once."""

from pathlib import Path

import pytest

from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.transfer.remeasuring import Again


def test_it_begins_once_and_goes_on_until_it_is_done(tmp_path: Path) -> None:
    first = Again(tmp_path, "board", asked=True)
    assert (first.wanted, first.afresh) == (True, True)
    assert Again(tmp_path, "board", asked=True).afresh  # nothing was removed yet
    first.begin()
    for asked in (False, True):
        later = Again(tmp_path, "board", asked=asked)
        assert (later.wanted, later.afresh) == (True, False)
    assert not Again(tmp_path, "phone", asked=False).wanted
    later.begin()
    later.end()
    assert not Again(tmp_path, "board", asked=False).wanted
    assert not list(tmp_path.iterdir())


def test_a_link_in_the_place_of_the_mark_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".again-board").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SettingsError, match=r"\.again-board is a link"):
        Again(tmp_path, "board", asked=True)
    assert not (tmp_path / "elsewhere").exists()

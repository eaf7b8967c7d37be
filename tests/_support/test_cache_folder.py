"""The variable first, then the convention of the desktop."""

from pathlib import Path

import pytest

from surrogate_nas._support.cache_folder import cache_folder, expanded
from surrogate_nas.errors import SettingsError


def test_the_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SURROGATE_NAS_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("SURROGATE_NAS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "surrogate_nas"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder() == Path.home() / ".cache" / "surrogate_nas"


def test_a_user_without_a_home_keeps_nothing_and_fails_at_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", unknown)
    monkeypatch.delenv("SURROGATE_NAS_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert not (cache_folder() / "programs" / "x").exists()
    with pytest.raises(OSError, match="null"):
        cache_folder().mkdir(parents=True)


def test_home_folders_are_put_in_their_place_and_unknown_ones_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    monkeypatch.setenv("USERPROFILE", "/somewhere")
    assert expanded("~/x") == Path("/somewhere/x")
    assert expanded("a/~/x") == Path("a/~/x")
    with pytest.raises(SettingsError, match="the home folder in '~nosuchuser/images' is not known; write the whole"):
        expanded("~nosuchuser/images")

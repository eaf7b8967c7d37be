"""Finds folders of this user: home folders in paths, and the place for results worth keeping between studies."""

import os
from pathlib import Path

from surrogate_nas.errors import SettingsError

FOLDER_VARIABLE = "SURROGATE_NAS_CACHE"


def expanded(path: Path | str) -> Path:
    """Returns a path with the home folder in the place of a leading ``~``.

    Shells leave it alone in ``--option=~/x``, and so does Python.

    Raises:
        SettingsError: If nobody knows that home folder.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise SettingsError(f"the home folder in {str(path)!r} is not known; write the whole path") from None


def cache_folder() -> Path:
    """Returns ``$SURROGATE_NAS_CACHE``, or ``surrogate_nas`` in the user's cache folder.

    A user without a home folder, as in some containers, gets one that holds nothing and that nobody can write to:
    every function that keeps results there warns that they are not kept. A folder that all users share is no place for
    it, since it remembers which programs the user trusts.
    """
    if chosen := os.environ.get(FOLDER_VARIABLE):
        return expanded(chosen)
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # The XDG specification has relative paths ignored.
    if not base.is_absolute():
        try:
            base = Path.home() / ".cache"
        except RuntimeError:
            base = Path(os.devnull)
    return base / "surrogate_nas"

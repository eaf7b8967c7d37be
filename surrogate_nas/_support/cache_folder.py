"""Finds the folder for results of this user that are worth keeping between studies."""

import os
from pathlib import Path

FOLDER_VARIABLE = "SURROGATE_NAS_CACHE"


def cache_folder() -> Path:
    """Returns ``$SURROGATE_NAS_CACHE``, or ``surrogate_nas`` in the user's cache folder."""
    if chosen := os.environ.get(FOLDER_VARIABLE):
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification has relative paths ignored.
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "surrogate_nas"

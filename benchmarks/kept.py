"""Lets a benchmark go on where it stopped, with the same options and with all the time that it took."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from surrogate_nas._support.files import write_text
from surrogate_nas._support.words import shown
from surrogate_nas.errors import SettingsError


def require_same_options(path: Path, options: Mapping[str, object]) -> None:
    """Keeps the options that results in a folder depend on; refuses other ones later.

    Args:
        path: The file that keeps them, next to the results.
        options: Options by name, in JSON's types.

    Raises:
        SettingsError: If results of other options are there.
    """
    asked = json.loads(json.dumps(options))
    if not path.exists():
        write_text(path, json.dumps(asked, indent=1))
        return
    held = json.loads(path.read_text(encoding="utf-8"))
    for name, value in asked.items():
        if held.get(name) != value:
            raise SettingsError(
                f"{path.parent} has results of {name} = {shown(held.get(name))}, not {shown(value)}: give the same"
                " options again, or another folder"
            )


def processor_minutes() -> float:
    """Returns the minutes that this process and its finished children have computed."""
    return sum(os.times()[:4]) / 60


def minutes_of(path: Path, work: Callable[[], object]) -> float:
    """Does a piece of work once, and returns the processor minutes that all attempts at it took together.

    Args:
        path: The file that keeps them, also of an attempt that fails.
        work: Goes on where an earlier attempt ended.
    """
    before = {"minutes": 0.0, "done": False}
    if path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
    if before["done"]:
        return before["minutes"]
    began, done = processor_minutes(), False
    try:
        work()
        done = True
    finally:
        minutes = before["minutes"] + processor_minutes() - began
        write_text(path, json.dumps({"minutes": minutes, "done": done}))
    return minutes

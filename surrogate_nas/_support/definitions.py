"""Finds definitions in TOML (search spaces, studies) by name or path, in a checkout or an installed package."""

import difflib
import re
import tomllib
from pathlib import Path
from typing import Any

from surrogate_nas._support.cache_folder import expanded
from surrogate_nas._support.files import UNREADABLE
from surrogate_nas._support.words import first_line
from surrogate_nas.errors import SettingsError

_MOST_LETTERS, _MOST_PARTS = 300_000, 20
_DEEP_KEY = re.compile(rf"(?<![\w\"'-])(?:[\w\"'-]++[ \t]*+\.[ \t]*+){{{_MOST_PARTS}}}")
_PACKAGE = Path(__file__).resolve().parent.parent


def _folder(kind: str) -> Path:
    installed = _PACKAGE / "_definitions" / kind
    return installed if installed.is_dir() else _PACKAGE.parent / kind


def available(kind: str) -> list[str]:
    """Returns names of the definitions that come with the project.

    Args:
        kind: ``"spaces"`` or ``"studies"``.
    """
    return sorted(path.stem for path in _folder(kind).glob("*.toml"))


def find_definition(kind: str, name: str) -> Path:
    """Returns the file of a definition: a name ending in ``.toml`` is a path, any other comes with the project.

    Raises:
        SettingsError: If there is none; the message names the path, or lists the known names.
    """
    singular = {"spaces": "space", "studies": "study"}[kind]
    if name.endswith(".toml"):
        return _existing_file(expanded(name), singular)
    path = _folder(kind) / f"{name}.toml"
    # A name is not a path: '../x' must not leave the folder of definitions.
    if name not in available(kind):
        near = difflib.get_close_matches(name, available(kind), n=1)
        raise SettingsError(
            f"unknown {singular} {name!r}; choose from {', '.join(available(kind))}, or give the path of a .toml file"
            + (f"; did you mean {near[0]}?" if near else "")
        )
    return path


def _existing_file(path: Path, what: str) -> Path:
    try:
        if path.is_file():
            return path
        wrong = "is a folder" if path.is_dir() else "does not exist"
    # Such as a name that is too long, or a folder that may not be entered.
    except OSError as error:
        raise SettingsError(f"the {what} file cannot be read: {path}: {error.strerror}") from None
    raise SettingsError(f"the {what} file {wrong}: {path}")


def read_toml(path: Path) -> dict[str, Any]:
    """Reads a TOML file.

    Raises:
        SettingsError: If it cannot be read or is not TOML; the message gives file and line.
    """
    try:
        # Some editors begin a file with a byte order mark.
        text = path.read_text(encoding="utf-8-sig")
        _check_extent(path, text)
        return tomllib.loads(text)
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8 text: {error}") from None
    except SettingsError:
        raise
    except UNREADABLE as error:
        raise SettingsError(f"{path} is not valid TOML: {first_line(error, 150)}") from None


def _check_extent(path: Path, text: str) -> None:
    """Refuses what would keep the parser busy for minutes, which needs time in the square of a key's parts."""
    if len(text) > _MOST_LETTERS:
        raise SettingsError(f"{path} is too long for a definition: {len(text):,} letters, at most {_MOST_LETTERS:,}")
    if deep := _DEEP_KEY.search(text):
        line = text.count("\n", 0, deep.start()) + 1
        raise SettingsError(f"{path} is not valid TOML: line {line}: a key of more than {_MOST_PARTS} parts")

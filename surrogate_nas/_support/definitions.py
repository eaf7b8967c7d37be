"""Finds definitions in TOML (search spaces, studies) by name or path, in a checkout or an installed package."""

import difflib
import io
import re
import tomllib
from pathlib import Path
from typing import Any

from surrogate_nas._support.cache_folder import expanded
from surrogate_nas._support.files import UNREADABLE
from surrogate_nas._support.words import first_line
from surrogate_nas.errors import SettingsError

_MOST_LETTERS, _MOST_PARTS = 300_000, 20
_MOST_BYTES = 4 * _MOST_LETTERS + 3  # of UTF-8, after a byte order mark
_PART = r"""(?:"(?:[^"\\\n]|\\[^\n])*+"|'[^'\n]*+'|[\w-]++)"""
_NEXT_PART = rf"(?:[ \t]*+\.[ \t]*+{_PART})"
# As TOML is read: what a comment or a text holds is no key. Where a text has no end, no parser gets further.
_TOKEN = re.compile(
    rf"""
    \#[^\n]*+
    | \"{{3}}(?:[^"\\]|\\[\s\S]|"(?!""))*+"{{3,5}}
    | '{{3}}(?:[^']|'(?!''))*+'{{3,5}}
    | (?P<endless>"{{3}}|'{{3}})
    | (?P<deep>{_PART}{_NEXT_PART}{{{_MOST_PARTS}}})
    | {_PART}{_NEXT_PART}*+
    | (?P<open>["'])
    """,
    re.VERBOSE,
)
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
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise SettingsError(f"{path} is too long for a definition: more than {_MOST_BYTES:,} bytes")
        # Some editors begin a file with a byte order mark; lines end in three ways.
        text = io.StringIO(content.decode("utf-8-sig"), newline=None).read()
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
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "deep":
            line = text.count("\n", 0, token.start()) + 1
            raise SettingsError(f"{path} is not valid TOML: line {line}: a key of more than {_MOST_PARTS} parts")
        if token.lastgroup is not None:
            return

"""Commands as the user would type them, for hints that can be copied."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterable
from pathlib import Path

PROGRAM = "surrogate-nas"
"""Name of the console command."""
# User, password and the rest of a URL; a secret may also stand among the fields after a question mark.
_USER = re.compile(r"([A-Za-z][\w+.-]*://[^:/@\s]*):.*@")
_SECRET = re.compile(r"([?&][^=&\s]*(?:pass|pwd|secret|token)[^=&\s]*=)[^&\s]*", re.IGNORECASE)


def program(subcommand: str) -> list[str]:
    """Returns the words that start a command, in the way in which the user started this process.

    Args:
        subcommand: Such as ``"lookup"``.
    """
    if _started().name != PROGRAM:
        return ["python", "-m", f"surrogate_nas.{subcommand}"]
    return [PROGRAM if _is_on_path() else sys.argv[0], subcommand]


def _is_on_path() -> bool:
    """Returns whether the shell finds this very program by its name, which it does not in an inactive environment."""
    found = shutil.which(PROGRAM)
    return found is not None and Path(found).resolve() == Path(shutil.which(sys.argv[0]) or sys.argv[0]).resolve()


def shown(subcommand: str, *words: object) -> str:
    """Returns a command as a line to copy.

    Args:
        subcommand: Such as ``"lookup"``.
        words: Its arguments; those with spaces or signs of the shell are quoted.
    """
    return quoted([*program(subcommand), *map(str, words)])


def begun_as(subcommand: str, without: Collection[str] = ()) -> str:
    """Returns the command that started this process, as a line to copy.

    Args:
        subcommand: The one that runs.
        without: Options that are left out, such as ``--resume``.
    """
    words = sys.argv[1:]
    if words[:1] == [subcommand] and (_started().name == PROGRAM or _started().parent.name == "surrogate_nas"):
        words = words[1:]
    return shown(subcommand, *(without_passwords(word) for word in words if word not in without))


def without_passwords(word: str) -> str:
    """Returns a word of a command line without the passwords of a URL in it."""
    return _SECRET.sub(r"\1...", _USER.sub(r"\1@", word))


def quoted(words: Iterable[str]) -> str:
    """Returns words as a line that the shell of this system splits into the same words."""
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def _started() -> Path:
    """Returns the program of this process, without what launchers on Windows leave at its end."""
    return Path(re.sub(r"(-script\.pyw?|\.exe)$", "", sys.argv[0] if sys.argv else ""))

"""Runs commands on an Android device by ``adb``, the debug bridge of Android's SDK."""

import shlex
import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import IO

from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.transfer.secure_shell import Outcome, run_program

_HOME = "/data/local/tmp"
"""The folder of a device in which its shell may write files and run programs."""


class AndroidShell:
    """Device that ``adb`` reaches.

    Args:
        host: Its serial number, as ``adb devices`` names it.

    Raises:
        SettingsError: If it cannot be one, or adb is not installed.
    """

    link = "adb"

    def __init__(self, host: str) -> None:
        if not host or host.startswith("-") or host.split() != [host]:
            raise SettingsError(f"--adb takes a serial number, as adb devices names it (got {host!r})")
        program = shutil.which("adb")
        if program is None:
            raise SettingsError("adb is not installed here; install the platform tools of Android's SDK")
        self.host, self._words = host, [program, "-s", host]

    def run(
        self, command: str, on_line: Callable[[str], None] | None = None, given: IO[bytes] | None = None
    ) -> Outcome:
        """Runs a command of the device's shell, in the folder for such work; see ``SecureShell.run``."""
        there = f"export HOME={_HOME}; cd {_HOME} && ( {command} )"
        return self._known(run_program([*self._words, "shell", there], on_line, given))

    def send(self, files: Iterable[Path], folder: str) -> Outcome:
        """Copies files to a folder there, which is made in one piece: it exists when all of them arrived."""
        new, place = shlex.quote(f"{folder}.new"), shlex.quote(folder)
        made = self.run(f"rm -rf {new} && mkdir -p {new}")
        if made.code:
            return made
        pushed = self._known(run_program([*self._words, "push", *map(str, files), f"{_HOME}/{folder}.new/"]))
        return pushed if pushed.code else self.run(f"mv {new} {place}")

    def _known(self, outcome: Outcome) -> Outcome:
        """Returns an outcome that says whether the device went away: adb's exit codes do not tell."""
        if not outcome.code:
            return outcome
        state = run_program([*self._words, "get-state"])
        return replace(outcome, away=state.code != 0 or state.output.strip() != b"device")

"""Runs commands on another machine by the system's ``ssh``, with which the user's own configuration and keys hold."""

import shlex
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from surrogate_nas.errors import SettingsError

# A device that went away is noticed within a minute.
_OPTIONS = ("-o", "ConnectTimeout=20", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4")
_LOST = 255  # ssh's own exit code; others are of the command


@dataclass(frozen=True)
class Outcome:
    """The end of a command.

    Attributes:
        code: Its exit code.
        output: Its standard output.
        last_line: The last line on standard error; of ssh itself where the connection was lost.
        away: Whether the machine is known to be away.
    """

    code: int
    output: bytes
    last_line: str
    away: bool = False

    @property
    def lost(self) -> bool:
        """True if the machine could not be reached, or went away."""
        return self.away or self.code == _LOST or self.code < 0


class DeviceShell(Protocol):
    """A way to a device: ``send`` and ``run`` in any order, each of which may find the device away."""

    link: str
    host: str

    def run(
        self, command: str, on_line: Callable[[str], None] | None = None, given: IO[bytes] | None = None
    ) -> Outcome:
        """Runs a command of the device's shell, in a folder of the user's there."""

    def send(self, files: Iterable[Path], folder: str) -> Outcome:
        """Copies files to a folder there, which exists when all of them arrived."""


def run_program(
    words: Sequence[str], on_line: Callable[[str], None] | None = None, given: IO[bytes] | None = None
) -> Outcome:
    """Runs a program of this machine.

    Args:
        words: The program and its arguments.
        on_line: Takes each line that it writes on standard error.
        given: Its standard input; without one, that stays open until the program ends.
    """
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(words, stdin=given or subprocess.PIPE, stdout=output, stderr=subprocess.PIPE)
        last = ""
        assert process.stderr is not None
        with process, process.stderr as errors:
            for raw in errors:
                line = raw.decode("utf-8", "replace").strip()
                last = line or last
                if line and on_line is not None:
                    on_line(line)
        output.seek(0)
        return Outcome(process.returncode, output.read(), last)


class SecureShell:
    """Machine that ``ssh`` reaches.

    Args:
        host: As ssh takes it: ``user@host``, ``ssh://user@host:port`` or a name of the user's configuration.

    Raises:
        SettingsError: If it cannot be a host, or ssh is not installed.
    """

    link = "ssh"

    def __init__(self, host: str) -> None:
        if not host or host.startswith("-") or host.split() != [host]:
            raise SettingsError(f"--ssh takes a machine such as pi@192.168.0.7 (got {host!r})")
        program = shutil.which("ssh")
        if program is None:
            raise SettingsError("ssh is not installed here; install an OpenSSH client, or copy the bench by hand")
        self.host, self._program = host, program

    def run(
        self, command: str, on_line: Callable[[str], None] | None = None, given: IO[bytes] | None = None
    ) -> Outcome:
        """Runs a command of the machine's shell, in the user's home folder there.

        Args:
            command: The command.
            on_line: Takes each line that it writes on standard error.
            given: Its standard input; without one, that stays open until the connection ends.
        """
        return run_program([self._program, *_OPTIONS, "--", self.host, command], on_line, given)

    def send(self, files: Iterable[Path], folder: str) -> Outcome:
        """Copies files to a folder there, which is made in one piece: it exists when all of them arrived."""
        with tempfile.TemporaryFile() as packed:
            with tarfile.open(fileobj=packed, mode="w", encoding="utf-8") as archive:
                for path in files:
                    archive.add(path, path.name, recursive=False)
            packed.seek(0)
            new, place = shlex.quote(f"{folder}.new"), shlex.quote(folder)
            unpack = f"rm -rf {new} && mkdir -p {new} && tar -x -f - -C {new} && mv {new} {place}"
            return self.run(unpack, given=packed)

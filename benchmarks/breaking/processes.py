"""Starts a command in a process group of its own, interrupts a part of it, and sees that nothing of it stays behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

_PROCESSES = Path("/proc")
_POLL_SECONDS = 0.02


class Group:
    """A running command of this project with all processes that it began.

    Args:
        words: Words after ``python -P -m surrogate_nas``.
        output: An open file that takes everything it prints.
        environment: Variables beside those of this process.
    """

    def __init__(self, words: Sequence[str], output: IO[bytes], environment: Mapping[str, str]) -> None:
        self.began = time.monotonic()
        # A shell lets what it begins in the background ignore Ctrl-C, and children inherit that.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "surrogate_nas", *words],
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, **environment},
        )

    def wait(self, seconds: float | None = None) -> int | None:
        """Returns the exit code; None if the command runs for longer."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def worker(self, seconds: float) -> int | None:
        """Returns the id of a worker process, as soon as there is one; None if there is none for so long."""
        until = time.monotonic() + seconds
        while self._process.poll() is None and time.monotonic() < until:
            for process in self._members():
                if process != self._process.pid and b"spawn_main" in _read(process, "cmdline"):
                    return process
            time.sleep(_POLL_SECONDS)
        return None

    def interrupt(self, victim: str, number: int, patience: float) -> bool:
        """Sends a signal to ``"parent"``, a ``"worker"`` or the whole ``"group"``; returns whether it arrived."""
        if self._process.poll() is not None:
            return False
        if victim == "group":
            os.killpg(self._process.pid, number)
            return True
        target = self._process.pid if victim == "parent" else self.worker(patience)
        if target is None or self._process.poll() is not None:
            return False
        try:
            os.kill(target, number)
        except ProcessLookupError:
            return False
        return True

    def orphans(self, seconds: float) -> int:
        """Returns how many processes of the group are left after a wait of at most so long; they are ended."""
        until = time.monotonic() + seconds
        while (left := len(self._members())) and time.monotonic() < until:
            time.sleep(_POLL_SECONDS)
        if left:
            os.killpg(self._process.pid, signal.SIGKILL)
        return left

    def _members(self) -> list[int]:
        """Returns the processes of the group that have not ended."""
        found = []
        for entry in _PROCESSES.iterdir():
            if entry.name.isdigit():
                # State, parent and group follow the name, which may hold anything.
                state, _, group, *_ = [*_read(int(entry.name), "stat").rpartition(b")")[2].split(), b"Z", b"", b""]
                if int(group or 0) == self._process.pid and state != b"Z":
                    found.append(int(entry.name))
        return found


def _read(process: int, name: str) -> bytes:
    try:
        return (_PROCESSES / str(process) / name).read_bytes()
    except OSError:
        return b""

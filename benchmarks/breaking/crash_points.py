"""Stops writers before each of their file operations, by a kill and by a disk that refuses, and reads what is left."""

import errno
import hashlib
import multiprocessing
import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from surrogate_nas.errors import SurrogateNasError

Act = Callable[[Path], object]
How = Literal["kill", "full disk"]
_CHANGES = frozenset({"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate", "os.link"})
# A full disk still moves and removes files.
_TAKE_ROOM = frozenset({"os.mkdir", "os.link"})
_LEFTOVER = re.compile(r"\..+\.[0-9a-f]{8}(\.[^.]*)?")
# Exit codes: all done before the point; refused with a message; went on behind the point; a traceback; killed.
_DONE, _REFUSED, _PASSED, _TRACEBACK, _KILLED = 0, 1, 2, 3, 137
_MOST_POINTS = 500


@dataclass(frozen=True)
class Writer:
    """Replaces something old by something new, whole or not at all.

    Attributes:
        make_old: Writes the old thing into an empty folder.
        write: Replaces it.
        read: Returns what a reader sees, which tells old from new.
        may_refuse: Whether a reader may refuse what a kill left, with a remedy.
    """

    make_old: Act
    write: Act
    read: Act
    may_refuse: bool = False


@dataclass
class Stops:
    """Points at which a writer was stopped, and what a reader found.

    Attributes:
        name: Name of the writer.
        how: ``"kill"`` or ``"full disk"``.
        old: Points after which the old thing was there.
        new: Points after which the new one was.
        refused: Points after which the reader asked to finish the writing.
        faults: Sentences on everything else.
    """

    name: str
    how: How
    old: int = 0
    new: int = 0
    refused: int = 0
    faults: tuple[str, ...] = ()


class _Stop:
    """Counts the file operations below a folder, and stops at one of them."""

    def __init__(self, folder: Path, point: int, how: How) -> None:
        self._folder, self._left, self._how = str(folder.resolve()), point, how
        self._flushed: set[tuple[int, int]] = set()
        self._real_flush = os.fsync

    def _counts(self, flags: object) -> bool:
        """Returns whether an opening changes something: makes a file or cuts it, or, before a kill, may write to it."""
        wanted = os.O_CREAT | os.O_TRUNC | (os.O_WRONLY | os.O_RDWR if self._how == "kill" else 0)
        return isinstance(flags, int) and bool(flags & wanted)

    @property
    def was_reached(self) -> bool:
        """True once the operation to stop at came."""
        return self._left < 0

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        counted = event in (_CHANGES if self._how == "kill" else _TAKE_ROOM)
        if self._left < 0 or not (counted or (event == "open" and self._counts(arguments[2]))):
            return
        path = arguments[0]
        if not isinstance(path, str | bytes | os.PathLike) or not os.path.abspath(os.fsdecode(path)).startswith(
            self._folder
        ):
            return
        self._stop_here()

    def flush(self, handle: int) -> None:
        """Takes the place of ``os.fsync``, where some disks find that they are full; what is on them stays there."""
        state = os.fstat(handle)
        if self._left >= 0 and (key := (state.st_ino, state.st_mtime_ns)) not in self._flushed:
            self._flushed.add(key)
            self._stop_here()
        self._real_flush(handle)

    def _stop_here(self) -> None:
        self._left -= 1
        if self._left < 0:
            if self._how == "kill":
                os._exit(_KILLED)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _write_until(writer: Writer, folder: Path, point: int, how: How) -> None:
    """Runs in a process of its own, whose exit code says what became of it."""
    stop = _Stop(folder, point, how)
    sys.addaudithook(stop)
    os.fsync = stop.flush  # type: ignore[assignment]
    try:
        writer.write(folder)
    except SurrogateNasError:
        os._exit(_REFUSED)
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(_TRACEBACK)
    os._exit(_PASSED if stop.was_reached else _DONE)


def stop_everywhere(name: str, writer: Writer, folder: Path, how: How) -> Stops:
    """Returns what readers found after a stop before every file operation of a writer.

    Args:
        name: Name of the writer.
        writer: The writer.
        folder: A folder for this, made anew.
        how: What happens at the point.
    """
    good, work = folder / "good", folder / "work"
    shutil.rmtree(folder, ignore_errors=True)
    good.mkdir(parents=True)
    writer.make_old(good)
    old = writer.read(good)
    shutil.copytree(good, work)
    writer.write(work)
    new = writer.read(work)
    result = Stops(name, how)
    if old == new:
        result.faults = ("old and new look the same",)
    for point in range(_MOST_POINTS):
        shutil.rmtree(work)
        shutil.copytree(good, work)
        process = multiprocessing.get_context("fork").Process(target=_write_until, args=(writer, work, point, how))
        process.start()
        process.join()
        if process.exitcode == _DONE:
            return result
        _judge(result, writer, work, (old, new), point)
        if process.exitcode == _TRACEBACK:
            result.faults += (f"operation {point}: a traceback",)
        writer.write(work)
        if writer.read(work) != new:
            result.faults += (f"operation {point}: another write does not mend it",)
    result.faults += (f"more than {_MOST_POINTS} operations",)
    return result


def _judge(result: Stops, writer: Writer, work: Path, both: tuple[object, object], point: int) -> None:
    try:
        seen = writer.read(work)
    except SurrogateNasError as error:
        if writer.may_refuse and result.how == "kill":
            result.refused += 1
        else:
            result.faults += (f"operation {point}: refused: {error}",)
        return
    except Exception as error:  # everything else would be a traceback
        result.faults += (f"operation {point}: a reader's traceback: {type(error).__name__}: {error}",)
        return
    if seen == both[1]:
        result.new += 1
    elif seen == both[0]:
        result.old += 1
    else:
        result.faults += (f"operation {point}: a mixture",)
    if result.how == "full disk" and (left := [one.name for one in work.rglob(".*") if _LEFTOVER.fullmatch(one.name)]):
        result.faults += (f"operation {point}: left behind: {left[0]}",)


def digest(*paths: Path) -> str:
    """Returns a hash of files."""
    return hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in paths)).hexdigest()

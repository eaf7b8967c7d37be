"""Reads hostile files one after another in a process that is watched from outside, and records what goes wrong.

python -m benchmarks.breaking.worker FORMAT RUN FOLDER SEED START END

FOLDER gets ``at``, which is read, ``outside``, where nothing may happen, ``progress`` and ``faults.jsonl``.
"""

import json
import os
import random
import shutil
import struct
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.breaking.containers import safely
from benchmarks.breaking.formats import FORMATS, OUTSIDE, lay_out, seeds
from benchmarks.breaking.hostile import Draw, changed_bytes
from benchmarks.peak_memory import limit_memory, peak_memory_mb
from surrogate_nas._support.streams import printable
from surrogate_nas.errors import SurrogateNasError

MOST_LETTERS = 300
MOST_SECONDS = 10.0
MOST_MB = 1024.0
EXIT_CODES = frozenset({0, 1, 2, 3, 130})
NEW_PROCESS = 75
"""Exit code of a worker that asks for a fresh one, since its peak of memory says nothing of what follows."""
_PEAK_OF_NOTE_MB = 256.0
_CAP = 4 * 2**30
_PACKAGE = f"{os.sep}surrogate_nas{os.sep}"
_RUNS = frozenset({"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "socket.connect", "pickle.find_class"})
_CHANGES = frozenset({"os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod"})


@dataclass
class Watch:
    """Watches what a reader does to files outside its folder, and which programs it runs.

    Args:
        inside: The folder that may be written to.
    """

    inside: str
    seen: list[str] = field(default_factory=list)
    armed: bool = False

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        """Takes an audit event of Python."""
        if not self.armed:
            return
        if event in _RUNS:
            self.seen.append(f"foreign code: {event}")
        elif event == "exec" and self._is_inside(getattr(arguments[0], "co_filename", "")):
            self.seen.append("foreign code: a program of the folder ran")
        elif (
            event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        ) or event in _CHANGES:
            self._changed(event, arguments[0])

    def _changed(self, event: str, path: object) -> None:
        if isinstance(path, str | bytes | os.PathLike) and not self._is_inside(path) and os.fspath(path) != os.devnull:
            self.seen.append(f"file outside: {event}")

    def _is_inside(self, path: str | bytes | os.PathLike[str]) -> bool:
        return os.path.realpath(os.fsdecode(path)).startswith(self.inside)

    @contextmanager
    def on(self) -> Iterator[None]:
        """Watches inside the block."""
        self.seen.clear()
        self.armed = True
        try:
            yield
        finally:
            self.armed = False


def _writes(flags: object) -> bool:
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


def hostile_input(draw: Draw, name: str, good: list[tuple[Path, bytes]]) -> tuple[Path, bytes]:
    """Returns the place and the content of a hostile file."""
    path, data = draw.choice(good)
    change = safely(FORMATS[name].change)
    kind = draw.random()
    if kind < 0.6:
        return path, change(draw, data)
    if kind < 0.9:
        return path, changed_bytes(draw, data)
    return path, changed_bytes(draw, change(draw, data))


def outcome(format_name: str, at: Path) -> tuple[str, str, str]:
    """Reads a folder: ``"accepted"``, ``"refused"`` or the kind of fault; its place in the code; the message."""
    try:
        FORMATS[format_name].read(at)
    except SurrogateNasError as error:
        # A folder's own name may be of any length.
        text, place = str(error).replace(str(at), ""), _place(error)
        if len(text) > MOST_LETTERS:
            return "long message", place, text
        if "\n" in printable(text):
            return "message of several lines", place, text
        if error.exit_code not in EXIT_CODES:
            return "exit code", place, text
        return "refused", place, text
    except Exception as error:  # everything else would be a traceback
        return (
            "traceback",
            f"{type(error).__name__} at {_place(error)}",
            f"{type(error).__name__}: {error}"[:MOST_LETTERS],
        )
    return "accepted", "", ""


def _place(error: BaseException) -> str:
    """Returns the innermost line of this project that an error passed."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if _PACKAGE in frame.filename] or frames
    return f"{ours[-1].filename.rpartition(_PACKAGE)[2]}:{ours[-1].lineno}"


class Worker:
    """Reads the inputs of a format.

    Args:
        name: Name of the format.
        run: A finished run, whose answer was trained.
        folder: Where everything happens.
        seed: Decides the inputs, together with their numbers.
    """

    def __init__(self, name: str, run: Path, folder: Path, seed: int) -> None:
        self.name, self.folder, self.seed = name, folder, seed
        self.at = folder / "at"
        self.kept = folder / "kept"
        self.kept.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.at, ignore_errors=True)
        lay_out(name, run, self.at)
        self.good = seeds(name, self.at)
        self.counts: Counter[str] = Counter()
        self.watch = Watch(str(self.at.resolve()))

    def run(self, start: int, end: int) -> int:
        """Reads the inputs from one number to before another; returns the exit code."""
        for path, data in self.good:
            self._read(path, data)
        base = peak_memory_mb()
        # An allocation without bounds fails, long after it counts as a fault.
        limit_memory(_CAP)
        sys.addaudithook(self.watch)
        for index in range(start, end):
            self._progress(index)
            path, data = hostile_input(random.Random(f"{self.seed}-{self.name}-{index}"), self.name, self.good)
            made, began = peak_memory_mb(), time.process_time()
            kind, place, message = self._read(path, data)
            seconds = time.process_time() - began
            peak = peak_memory_mb()
            # Making a file may take more memory than reading it.
            grown = peak - base - MOST_MB - len(data) / 1e6 if peak > made else 0.0
            faults = [(kind, place, message)] if kind not in ("accepted", "refused") else []
            faults += [(seen, place, message) for seen in dict.fromkeys(self.watch.seen)]
            faults += [("hang", place, f"{seconds:.1f} s")] if seconds > MOST_SECONDS else []
            faults += [("memory", place, f"{grown + MOST_MB:.0f} MB")] if grown > 0 else []
            for fault in faults:
                self._keep(index, data, *fault)
            self.counts[faults[0][0] if faults else kind] += 1
            if peak > base + _PEAK_OF_NOTE_MB:
                self._progress(index + 1)
                return NEW_PROCESS
        self._progress(end)
        return 0

    def _read(self, path: Path, data: bytes) -> tuple[str, str, str]:
        good = dict(self.good)[path]
        path.write_bytes(data)
        try:
            if (seal := FORMATS[self.name].seal) is not None:
                seal(self.at)
        except Exception:  # what cannot be sealed is read as it is
            self.counts["not sealed"] += 1
        with self.watch.on():
            found = outcome(self.name, self.at)
        if (ran := self.at.parent / OUTSIDE / "ran").exists():
            ran.unlink()
            self.watch.seen.append("foreign code: a program of the folder ran")
        path.write_bytes(good)
        return found

    def _keep(self, index: int, data: bytes, kind: str, place: str, message: str) -> None:
        """Records a fault; the smallest input of each kind and place is kept."""
        key = "".join(letter if letter.isalnum() else "-" for letter in f"{kind}-{place}")[-120:]
        kept = self.kept / key
        if not kept.exists() or kept.stat().st_size > len(data):
            kept.write_bytes(data)
        record = {"index": index, "seed": self.seed, "kind": kind, "place": place, "message": message[:400]}
        with (self.folder / "faults.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({**record, "size": len(data), "kept": key}) + "\n")

    def _progress(self, index: int) -> None:
        (self.folder / "progress").write_bytes(
            struct.pack("<qqq", index, self.counts["accepted"], self.counts["refused"])
        )


def main(words: list[str]) -> int:
    """Runs a worker."""
    name, run, folder, seed, start, end = words
    warnings.simplefilter("ignore")
    return Worker(name, Path(run), Path(folder), int(seed)).run(int(start), int(end))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

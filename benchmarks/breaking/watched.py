"""Runs workers on the inputs of a format, ends those that hang, and goes on behind an input that ended one."""

import json
import os
import struct
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.breaking.worker import MOST_SECONDS, NEW_PROCESS
from surrogate_nas._support.cache_folder import FOLDER_VARIABLE

_CHUNK = 20_000  # a process takes ten seconds to begin
_POLL_SECONDS = 0.2
_START_SECONDS = 120.0
_CLOCK_SECONDS = 60.0  # of an input that uses no processor time


@dataclass
class Result:
    """Inputs of a format that were read, and what became of them.

    Attributes:
        name: Name of the format.
        inputs: How many.
        accepted: How many were read without an error.
        refused: How many were refused with one line.
        faults: Everything else.
    """

    name: str
    inputs: int = 0
    accepted: int = 0
    refused: int = 0
    faults: list[dict[str, Any]] = field(default_factory=list)

    def kinds(self) -> Counter[str]:
        """Returns the number of faults of each kind."""
        return Counter(str(fault["kind"]).partition(":")[0] for fault in self.faults)

    def places(self) -> list[tuple[str, int]]:
        """Returns a line on each distinct fault, with the smallest input, and how many inputs met it."""
        counts = Counter((fault["kind"], fault["place"]) for fault in self.faults)
        lines = []
        for (kind, place), count in counts.most_common():
            least = min((one for one in self.faults if (one["kind"], one["place"]) == (kind, place)), key=_size)
            lines.append((f"{self.name}: {kind} at {place} ({least['size']} bytes): {least['message'][:150]}", count))
        return lines


def _size(fault: dict[str, Any]) -> int:
    return int(fault["size"])


def read_hostile_files(name: str, run: Path, folder: Path, inputs: int, seed: int) -> Result:
    """Returns what became of so many hostile files of a format; earlier calls with the same seed count.

    Args:
        name: Name of the format.
        run: A finished run, whose answer was trained.
        folder: Keeps faults, the smallest input of each, and how far it got.
        inputs: Number of inputs.
        seed: Decides them.
    """
    place = folder / f"{name}-{seed}"
    place.mkdir(parents=True, exist_ok=True)
    result = _kept(name, place)
    while result.inputs < inputs:
        start, end = result.inputs, min(inputs, result.inputs + _CHUNK)
        _write_progress(place, start, 0, 0)
        died = _watch(name, run, place, seed, start, end)
        at, accepted, refused = _read_progress(place)
        if died:
            data = _last_input(place)
            fault = {"index": at, "seed": seed, "kind": died, "place": "", "message": "", "size": len(data)}
            (place / "kept").mkdir(exist_ok=True)
            (place / "kept" / f"{died}-{at}").write_bytes(data)
            with (place / "faults.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(fault) + "\n")
            at += 1
        before = _kept(name, place)
        done = {"inputs": at, "accepted": before.accepted + accepted, "refused": before.refused + refused}
        (place / "done.json").write_text(json.dumps(done), encoding="utf-8")
        result = _kept(name, place)
    return result


def _watch(name: str, run: Path, place: Path, seed: int, start: int, end: int) -> str:
    """Runs one worker; returns what ended it, empty where it did its work or wishes for a new process."""
    words = [name, str(run), str(place), str(seed), str(start), str(end)]
    with (place / "log.txt").open("ab") as log:
        worker = subprocess.Popen(
            [sys.executable, "-P", "-m", "benchmarks.breaking.worker", *words],
            stdout=log,
            stderr=log,
            env={**os.environ, FOLDER_VARIABLE: str(place / "cache")},
        )
        at, since, spent = start, time.monotonic() + _START_SECONDS, 0.0
        while (code := worker.poll()) is None:
            time.sleep(_POLL_SECONDS)
            now, cpu = _read_progress(place)[0], _cpu_seconds(worker.pid)
            if now != at:
                at, since, spent = now, time.monotonic(), cpu
            elif time.monotonic() > since and (
                (cpu - spent > MOST_SECONDS and at > start) or time.monotonic() - since > _CLOCK_SECONDS
            ):
                worker.kill()
                worker.wait()
                return "hang"
    if code in (0, NEW_PROCESS):
        return ""
    return f"died with exit code {code}"


def _cpu_seconds(process: int) -> float:
    try:
        user, system = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[11:13]
    except (OSError, ValueError):
        return 0.0
    return (int(user) + int(system)) / float(os.sysconf("SC_CLK_TCK"))


def _last_input(place: Path) -> bytes:
    """Returns the file that was written last."""
    files = [path for path in (place / "at").rglob("*") if path.is_file()]
    return max(files, key=lambda path: path.stat().st_mtime_ns).read_bytes() if files else b""


def _read_progress(place: Path) -> tuple[int, int, int]:
    data = (place / "progress").read_bytes()
    return struct.unpack("<qqq", data) if len(data) == 24 else (0, 0, 0)


def _write_progress(place: Path, *numbers: int) -> None:
    (place / "progress").write_bytes(struct.pack("<qqq", *numbers))


def _kept(name: str, place: Path) -> Result:
    done, faults = place / "done.json", place / "faults.jsonl"
    numbers = json.loads(done.read_bytes()) if done.exists() else {}
    lines = faults.read_text(encoding="utf-8").splitlines() if faults.exists() else []
    return Result(name, **numbers, faults=[json.loads(line) for line in lines])

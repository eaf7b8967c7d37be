"""Lets commands read hostile files, as a user would: exit codes, messages, files of the run that change."""

import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.breaking.formats import FORMATS, OUTSIDE, RAN, lay_out, seeds
from benchmarks.breaking.watched import Result
from benchmarks.breaking.worker import EXIT_CODES, MOST_LETTERS, hostile_input

_MOST_SECONDS = 300.0  # of a whole command, which may go on with a study where the file is good
_NOT_NEEDED = ("artifacts", "plots", "*.log", "report.html")
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def read_by_command(name: str, run: Path, folder: Path, calls: int, seed: int) -> Result:
    """Returns what became of so many commands, each of which met another hostile file.

    Args:
        name: Name of the format.
        run: A finished run, whose answer was trained.
        folder: Keeps the files of each fault.
        calls: Number of commands.
        seed: Decides the files.
    """
    result = Result(f"{name} by command")
    place = folder / f"{name}-{seed}-commands"
    for index in range(calls):
        shutil.rmtree(place / "at", ignore_errors=True)
        shutil.rmtree(place / "good", ignore_errors=True)
        lay_out(name, run, place / "good")
        good = seeds(name, place / "good")
        path, data = hostile_input(random.Random(f"{seed}-{name}-{index}"), name, good)
        shutil.copytree(run, place / "at", ignore=shutil.ignore_patterns(*_NOT_NEEDED))
        shutil.copytree(place / "good", place / "at", dirs_exist_ok=True)
        target = place / "at" / path.relative_to(place / "good")
        target.write_bytes(data)
        code, kind, message = _run(name, place / "at", target)
        if (place / OUTSIDE / RAN).exists():
            (place / OUTSIDE / RAN).unlink()
            kind = "foreign code"
        result.inputs += 1
        result.accepted += code == 0 and not kind
        result.refused += code != 0 and not kind
        if kind:
            kept = folder / f"{name}-{seed}" / "kept"
            kept.mkdir(parents=True, exist_ok=True)
            (kept / f"command-{index}").write_bytes(data)
            fault = {"index": index, "kind": kind, "place": f"exit code {code}", "message": message, "size": len(data)}
            result.faults.append(fault)
    return result


def _run(name: str, at: Path, target: Path) -> tuple[int | None, str, str]:
    """Runs the command of a format; returns its exit code, the kind of its fault if there is one, and its last line."""
    words = [word.format(at=at, file=target) for word in FORMATS[name].words]
    line = [sys.executable, "-P", "-m", "surrogate_nas", *words]
    try:
        done = subprocess.run(line, capture_output=True, timeout=_MOST_SECONDS, check=False, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return None, "hang", ""
    errors = done.stderr.decode("utf-8", "replace")
    last = (errors.strip().splitlines() or [""])[-1]
    if "Traceback (most recent call last)" in errors:
        return done.returncode, "traceback", last
    if done.returncode not in EXIT_CODES:
        return done.returncode, "exit code", last
    if _STEERING.search(errors) or _STEERING.search(done.stdout.decode("utf-8", "replace")):
        return done.returncode, "message of several lines", last
    if done.returncode and len(last.removeprefix("error: ")) > MOST_LETTERS:
        return done.returncode, "long message", last
    return done.returncode, "", last

"""A whole study where Linux's functions are missing, and rules that keep the package usable on other systems."""

import ast
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from surrogate_nas.labels.store import read_labels
from tests.fixtures.tiny_study import REPOSITORY, Run

OTHER = Path(__file__).with_name("fixtures") / "other_system"
SOURCES = [path for folder in ("surrogate_nas", "benchmarks") for path in sorted((REPOSITORY / folder).rglob("*.py"))]
# Functions that some system lacks, and the one module that may ask for each.
ONE_PLACE = {
    "sched_getaffinity": {"_support/processors.py"},
    "cpu_count": {"_support/processors.py"},
    "pthread_sigmask": {"_processes/child.py"},
    "thread_time": {"hardware/measure/timing.py"},
    "getrusage": {"peak_memory.py"},
    "fork": {"breaking/crash_points.py"},
    "killpg": {"breaking/processes.py"},
    "getuid": set(),
    "geteuid": set(),
    "SIGKILL": {"breaking/kills.py", "breaking/processes.py", "_processes/local_workers.py"},
    "symlink_to": set(),
    "symlink": set(),
}
LACKING = {"fcntl", "pwd", "grp", "termios", "msvcrt", "winreg"}


@pytest.fixture(scope="module")
def elsewhere() -> dict[str, str]:
    """Returns the environment of processes that find no function of Linux, as do those that they begin."""
    path = os.pathsep.join([str(OTHER), str(REPOSITORY)])
    return {
        **os.environ,
        "PYTHONPATH": path,
        "USERNAME": "somebody",
    }  # as Windows has it, which has no numbers of users


def test_the_functions_are_hidden_from_workers_too(elsewhere: dict[str, str]) -> None:
    line = [sys.executable, str(OTHER / "report_hidden.py")]
    done = subprocess.run(line, capture_output=True, encoding="utf-8", check=True, env=elsewhere)
    assert done.stdout == "found:\n"


@pytest.mark.slow
def test_a_study_learns_the_same_without_the_functions_of_linux(
    tiny: Path, budgets: tuple[str, ...], finished: Path, command: Run, elsewhere: dict[str, str], tmp_path: Path
) -> None:
    """In two worker processes; latencies are of a machine of another name, and so are measured again."""
    words = ("--set", "compute.processes=2", "--set", "predictor.ensemble=1", "--set", "predictor.steps=5")
    done = command(tiny, "--output-dir", tmp_path / "run", *budgets, *words, env=elsewhere)
    assert done.returncode == 0, done.stderr
    assert b'"wall clock"' in pq.read_schema(tmp_path / "run" / "costs.parquet").metadata[b"surrogate_nas.costs"]
    mine, theirs = read_labels(tmp_path / "run" / "labels.h5"), read_labels(finished / "labels.h5")
    order, their_order = np.lexsort(mine.codes.T), np.lexsort(theirs.codes.T)
    np.testing.assert_array_equal(mine.codes[order], theirs.codes[their_order])
    np.testing.assert_array_equal(mine.loss[order], theirs.loss[their_order])


# What the sources may not do


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def place(path: Path) -> str:
    return str(path.relative_to(REPOSITORY)).partition("/")[2]


def without_encoding(tree: ast.Module) -> list[int]:
    """Returns lines that read or write text in the encoding of the system, which is another one on each."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    silent = [call for call in calls if not any(word.arg == "encoding" for word in call.keywords)]
    return [call.lineno for call in silent if reads_text(call)]


def reads_text(call: ast.Call) -> bool:
    """Returns whether a call is of a function that takes an encoding: ``open``, or a method of a path."""
    texts = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    if isinstance(call.func, ast.Name):
        return call.func.id == "open" and not any("b" in text for text in texts[-1:])
    if not isinstance(call.func, ast.Attribute):
        return False
    # Others that are called so, such as of stores and images, take something else than a mode.
    opens = call.func.attr == "open" and len(texts) == len(call.args) and not any("b" in text for text in texts)
    own = ast.unparse(call.func.value) not in ("run.watch", "webbrowser")
    return call.func.attr in ("read_text", "write_text") or (opens and own)


def test_text_is_utf8_on_every_system() -> None:
    found = {place(path): without_encoding(parsed(path)) for path in SOURCES}
    assert {where: lines for where, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("path.read_text()", True),
        ("path.write_text(text)", True),
        ("path.write_text(text, encoding='utf-8')", False),
        ("open(path)", True),
        ("path.open('w')", True),
        ("path.open('rb')", False),
        ("open(path, 'ab')", False),
        ("os.open(path, 0)", False),
    ],
)
def test_text_of_unknown_encoding_is_found(line: str, wrong: bool) -> None:
    assert bool(without_encoding(ast.parse(line))) == wrong


@cache
def asked_for(path: Path) -> frozenset[str]:
    """Returns names that a source has: attributes, what it imports, and texts, which may be looked up."""
    nodes = list(ast.walk(parsed(path)))
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return frozenset(attributes | texts | {node.name for node in nodes if isinstance(node, ast.alias)})


@pytest.mark.parametrize("name", ONE_PLACE)
def test_what_some_system_lacks_has_one_place(name: str) -> None:
    assert {place(path) for path in SOURCES if name in asked_for(path)} == ONE_PLACE[name]


def test_modules_that_some_system_lacks_are_not_imported() -> None:
    def imports(path: Path) -> set[str]:
        return {alias.name for node in ast.walk(parsed(path)) if isinstance(node, ast.Import) for alias in node.names}

    assert [place(path) for path in SOURCES if imports(path) & LACKING] == []
    assert [place(path) for path in SOURCES if "resource" in imports(path)] == ["peak_memory.py"]

"""Commands in hints begin as the user's own did, and can be copied."""

import os
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from surrogate_nas._support.commands import begun_as, quoted, shown

MODULE = "/x/site-packages/surrogate_nas/study/__main__.py"
PACKAGE = "/x/site-packages/surrogate_nas/__main__.py"


@pytest.mark.parametrize("program", ["/x/bin/surrogate-nas", "surrogate-nas.exe", "surrogate-nas-script.py"])
def test_the_console_command_names_itself(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [program, "study", "quickstart", "--resume"])
    monkeypatch.setattr(shutil, "which", lambda _: program)
    assert shown("lookup", Path("runs/a"), "--latency-budget", "20%") == (
        "surrogate-nas lookup runs/a --latency-budget 20%"
    )
    assert begun_as("study") == "surrogate-nas study quickstart --resume"
    assert begun_as("study", without=("--resume",)) == "surrogate-nas study quickstart"


@pytest.mark.parametrize("found", [None, "/usr/bin/surrogate-nas"])
def test_a_console_command_that_the_shell_does_not_find_keeps_its_path(
    found: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As 'make study' starts it, in an environment that is not active."""
    typed = ".venv/bin/surrogate-nas"
    monkeypatch.setattr(sys, "argv", [typed, "study", "quickstart"])
    monkeypatch.setattr(shutil, "which", lambda name: typed if name == typed else found)
    assert shown("train", "runs/a") == f"{typed} train runs/a"
    assert begun_as("study") == f"{typed} study quickstart"


@pytest.mark.parametrize(
    ("argv", "command"),
    [
        ([MODULE, "quickstart"], "python -m surrogate_nas.study quickstart"),
        ([MODULE, "study"], "python -m surrogate_nas.study study"),
        ([PACKAGE, "study", "quickstart"], "python -m surrogate_nas.study quickstart"),
        (["/x/ipykernel_launcher.py", "-f", "k.json"], "python -m surrogate_nas.study -f k.json"),
        ([], "python -m surrogate_nas.study"),
    ],
)
def test_other_ways_to_begin_name_the_module(argv: list[str], command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", argv)
    assert begun_as("study") == command
    assert shown("train", "RUN") == "python -m surrogate_nas.train RUN"


@pytest.mark.parametrize(
    ("word", "shown_word"),
    [
        ("postgresql://ada:s3cret@host/db", "postgresql://ada@host/db"),
        ("--storage=postgresql+psycopg://:a/b@host", "--storage=postgresql+psycopg://@host"),
        ("postgresql://host/db?sslPassword=s3cret&x=1", "'postgresql://host/db?sslPassword=...&x=1'"),
        ("ada@host:runs/a", "ada@host:runs/a"),
        ("ray://host:10001", "ray://host:10001"),
    ],
)
def test_passwords_of_urls_are_left_out(word: str, shown_word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [MODULE, word])
    assert begun_as("study") == f"python -m surrogate_nas.study {shown_word}"


def test_words_are_quoted_for_the_shell_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["a b", "it's", "c"]
    assert shlex.split(quoted(words)) == words
    # Neither cmd nor PowerShell takes an apostrophe around a backslash for what a POSIX shell does.
    monkeypatch.setattr(os, "name", "nt")
    assert quoted(["runs\\my run", "c:\\x", "c"]) == '"runs\\my run" c:\\x c'

"""A study records the machine and libraries that it ran on."""

import json
from pathlib import Path

import torch

from surrogate_nas import __version__
from surrogate_nas._support.files import write_json
from surrogate_nas.runs.environment import earlier_commands, environment, processor, versions


def test_versions_are_those_that_run() -> None:
    assert versions()["torch"] == str(torch.__version__).partition("+")[0] or versions()["torch"] == torch.__version__
    assert versions()["surrogate_nas"] == __version__


def test_the_run_folder_says_what_it_was_made_on(finished: Path) -> None:
    content = json.loads((finished / "environment.json").read_text(encoding="utf-8"))
    assert content.keys() == {*environment("any"), "checksum"}
    assert content["processor"] == processor() != ""
    # The tests' study was called in Python; a command line of its own is in the tests of commands.
    assert content["command"].startswith("python -m surrogate_nas.study")


def test_the_commands_of_a_run_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "environment.json"
    assert earlier_commands(path) == ()
    for command in ("study a", *(f"study --resume {number}" for number in range(9)), "study --resume 8"):
        write_json(path, environment(command, earlier_commands(path)))
    assert earlier_commands(path) == ("study a", *(f"study --resume {number}" for number in range(4, 9)))
    path.write_text("{")
    assert earlier_commands(path) == ()

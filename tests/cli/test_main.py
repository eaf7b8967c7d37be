"""The console command: help that is quick, whole and of one style, and the same command lines behind it."""

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
import typer.testing

from surrogate_nas._support.late import Late
from surrogate_nas.cli import main as console
from surrogate_nas.cli.command_line import in_home
from surrogate_nas.cli.main import COMMANDS, main

WIDTH = 80
SLOW = {"torch", "torchvision", "torch_geometric", "optuna", "sklearn", "scipy", "h5py", "plotly", "onnxruntime"}


def words_of(command: str) -> Iterator[list[str]]:
    """Yields a subcommand, and each of its own where it is a group."""
    yield [command]
    app: typer.Typer = Late(f"surrogate_nas.cli.{command}:app").target
    yield from ([command, one] for one in getattr(typer.main.get_command(app), "commands", ()))


ALL = [words for command in COMMANDS for words in words_of(command)]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_path_may_begin_with_the_home_folder(command: str) -> None:
    app: typer.Typer = Late(f"surrogate_nas.cli.{command}:app").target
    functions = [one.callback for one in app.registered_commands]
    kinds = [each.annotation for one in functions if one for each in inspect.signature(one).parameters.values()]
    paths = [kind for kind in kinds if "Path" in str(getattr(kind, "__origin__", ""))]
    assert paths
    assert all(kind.__metadata__[0].callback is in_home for kind in paths)


@pytest.fixture
def help_of(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> "HelpOf":
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    monkeypatch.setenv("TERMINAL_WIDTH", str(WIDTH))
    return HelpOf(capsys)


class HelpOf:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str) -> str:
        assert main([*words, "--help"]) == 0
        return self._capsys.readouterr().out


def test_the_help_names_every_command_with_its_line(help_of: HelpOf) -> None:
    text = " ".join(help_of().split())
    assert all(f"{name} {line}" in text for name, line in COMMANDS.items())
    assert "--install-completion" in text


@pytest.mark.parametrize("words", [[], *ALL], ids=" ".join)
def test_help_is_whole_and_fits_a_terminal(words: list[str], help_of: HelpOf) -> None:
    text = help_of(*words)
    assert max(map(len, text.splitlines())) <= WIDTH
    assert not re.search(r"\w\.\.\.$", text.replace("[ARGS]...", "").replace("{IMAGE}...", ""), re.MULTILINE)
    assert not re.search("[╭│╰]", text)  # boxes squeeze what is in them
    assert re.search(r"^  -h, --help +Show this message", text, re.MULTILINE)
    # Every option says what it does: nothing but names of options and their values stands alone.
    described = re.findall(r"^  (-\S.*?)(?:  +|\n {20,})(\S.*)$", text, re.MULTILINE)
    assert len(described) == len(re.findall(r"^  -", text, re.MULTILINE))


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_help_begins_with_what_the_command_does(words: list[str], help_of: HelpOf) -> None:
    """In one person and with a full stop, as the list of commands has it."""
    summary = help_of(*words).split("\n\n")[1].strip()
    assert re.match(r"[A-Z][a-z]+s\b", summary), summary
    assert summary.endswith(".")


def test_nothing_at_all_shows_the_help_and_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["space"], ["hardware"]):
        assert main(words) == 2
        output, errors = capsys.readouterr()
        assert output.startswith("Usage: ")
        assert errors == ""


def test_a_wrong_name_has_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lokup"]) == 2
    assert capsys.readouterr() == ("", "error: No such command 'lokup'. Did you mean 'lookup'? (see --help)\n")


def test_subcommands_are_the_command_lines_of_the_modules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "quickstart", "--dry-run", "--seed", "7"]) == 0
    assert "seed = 7\n" in capsys.readouterr().out
    assert main(["lookup", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.startswith("error: there is no ")
    assert main(["study", "--help"]) == 0
    assert capsys.readouterr().out.startswith("Usage: surrogate-nas study ")


def test_a_command_that_is_not_asked_for_is_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken part of the package leaves the others usable."""
    monkeypatch.setattr(console, "COMMANDS", {**COMMANDS, "broken": "Breaks."})
    assert main(["--help"]) == 0
    with pytest.raises(ModuleNotFoundError):
        main(["broken"])


def imported(words: list[str], tmp_path: Path) -> set[str]:
    program = "import sys; from surrogate_nas.cli.main import main; main(sys.argv[1:]); print(*sys.modules)"
    line = [sys.executable, "-c", program, *words]
    done = subprocess.run(line, capture_output=True, encoding="utf-8", check=True, cwd=tmp_path)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("words", [["--help"], ["study", "--help"], ["train", "--help"], ["hardware", "profile", "-h"]])
def test_help_imports_nothing_slow(words: list[str], tmp_path: Path) -> None:
    assert not SLOW & imported(words, tmp_path)


def test_the_first_help_takes_less_than_half_a_second(tmp_path: Path) -> None:
    """In processor time, which a busy machine does not lengthen; the smallest of three."""
    took = []
    for _ in range(3):
        before = os.times()
        subprocess.run([sys.executable, "-m", "surrogate_nas", "--help"], check=True, stdout=subprocess.DEVNULL)
        after = os.times()
        took.append(after.children_user + after.children_system - before.children_user - before.children_system)
    assert min(took) < 0.5
    assert {name.partition(".")[0] for name in imported(["--help"], tmp_path)}.isdisjoint({"numpy", "pydantic"})

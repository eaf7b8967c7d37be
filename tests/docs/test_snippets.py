"""Code of the pages is right: commands and options exist, settings are valid, Python and TOML can be read."""

import ast
import importlib
import itertools
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer

from surrogate_nas.cli.study import main as study
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.runs.study_file import settings_of
from surrogate_nas.training.settings import FinalSettings
from tests.conftest import REPOSITORY
from tests.docs.snippets import LOG, PAGES, Command, blocks, commands

COMMANDS = [command for page in (*PAGES, *LOG) for command in commands(page)]
OURS = sorted({command for command in COMMANDS if command.name}, key=lambda command: (command.page, command.words))
BENCHMARKS = [command for command in COMMANDS if any(word.startswith("benchmarks.") for word in command.words)]
STUDIES = [command for command in OURS if command.whole and command.name == "study"]


def called(command: Command) -> str:
    return f"{command.page}: {' '.join(command.words)}"


def parser(command: Command) -> tuple[Any, list[str]]:
    """Returns the command of typer that a line calls, or its subcommand, and the words that are left."""
    benchmark = next((word for word in command.words if word.startswith("benchmarks.")), None)
    module = importlib.import_module(benchmark or f"surrogate_nas.cli.{command.name}")
    found, words = typer.main.get_command(module.app), command.arguments
    if hasattr(found, "commands") and words and not words[0].startswith("-"):
        assert words[0] in found.commands, f"there is no {words[0]}"
        found, words = found.commands[words[0]], words[1:]
    return found, words


def unknown_options(command: Command) -> list[str]:
    found, words = parser(command)
    known = {name for option in found.params for name in (*option.opts, *option.secondary_opts)} | {"--help"}
    return [word for word in words if word.startswith("--") and word.split("=")[0] not in known]


@pytest.mark.parametrize("command", [*OURS, *BENCHMARKS], ids=called)
def test_options_exist(command: Command) -> None:
    assert unknown_options(command) == []


@pytest.mark.parametrize("command", [*OURS, *BENCHMARKS], ids=called)
def test_settings_exist(command: Command) -> None:
    prefix = "supernet." if "benchmarks.supernet" in command.words else ""
    words = list(command.words)
    keys = [prefix + words[place + 1].split("=")[0] for place, word in enumerate(words) if word == "--set"]
    known = {f"{key}." for key in [*settings_of(StudySettings), *settings_of(FinalSettings, "training.")]}
    # "KEY=VALUE" and the like stand for any setting; hardware.timing is a table of settings.
    assert [key for key in keys if key.upper() != key and f"{key}." not in known] == []


@pytest.mark.parametrize("command", STUDIES, ids=called)
def test_studies_resolve(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = [word for word in command.arguments if word not in ("--resume", "--dry-run")]
    if any(word.endswith(".toml") and not (REPOSITORY / word).is_file() for word in words):
        pytest.skip("a file of the reader's")
    if not words or words[0].startswith("--"):
        words.insert(0, "cifar10")  # the study comes from the run folder
    monkeypatch.chdir(tmp_path)
    for option, value in itertools.pairwise(words):
        if option == "--data":
            Path(value).mkdir(exist_ok=True)
    monkeypatch.setattr("surrogate_nas.cli.study._require_table", lambda _settings: None)  # the reader's
    assert study([*words, "--dry-run"]) == 0


def test_a_wrong_command_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.docs.snippets.REPOSITORY", tmp_path)
    page = tmp_path / "page.md"
    page.write_text("```\nsurrogate-nas lookup run \\\n    --latency 3ms --top 2  # best\n```\nand `python -m x --y`\n")
    first, second = commands(page)
    assert (first.name, unknown_options(first)) == ("lookup", ["--latency"])
    assert (second.name, second.whole) == ("", False)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_python_and_toml_can_be_read(page: Path) -> None:
    for language, block in blocks(page.read_text(encoding="utf-8")):
        if language == "python":
            ast.parse(block)
        if language == "toml":
            tomllib.loads(block)


def test_targets_of_make_exist() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    wanted = {command.words[1] for command in COMMANDS if command.words[0] == "make"}
    assert [target for target in sorted(wanted) if f"\n{target}:" not in makefile] == []


def test_every_command_line_is_explained() -> None:
    shown = {command.name for command in OURS if command.whole and command.page.startswith("docs")}
    assert shown >= {"study", "lookup", "train", "predict", "hardware", "space"}

"""Pages of the reference that are written from the code when the site is built, so that they are never out of date."""

import functools
import importlib
import inspect
from pathlib import Path
from typing import Any, get_args

import typer
from mkdocs.structure.files import File, Files
from pydantic import BaseModel

import surrogate_nas
from surrogate_nas._support.commands import PROGRAM
from surrogate_nas.cli.main import COMMANDS
from surrogate_nas.deploy.train.train_request import TrainSettings
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.study.ask.options import Options

PACKAGE = Path(surrogate_nas.__file__).parent


def on_files(files: Files, config: Any) -> Files:  # noqa: ANN401 - mkdocs calls it by name
    """Adds the generated pages to the pages of the folder."""
    for name, content in pages().items():
        files.append(File.generated(config, f"reference/{name}.md", content=content))
    return files


def pages() -> dict[str, str]:
    """Name to text of every page that is written."""
    return {"settings": settings_page(), "commands": commands_page(), "api": api_page()}


def settings_page() -> str:
    """Every setting with its default and its description, a table for each section."""
    lines = [
        "# Settings",
        "",
        "A study is a TOML file. On the command line, set any of these by `--set SECTION.NAME=VALUE`."
        " `--dry-run` prints the settings of a study and trains nothing.",
    ]
    final = [
        "",
        "# Settings of a final training",
        "",
        "`train` chooses these by your images. Replace any of them by `surrogate-nas train RUN --set"
        " training.NAME=VALUE`.",
    ]
    return "\n".join([*lines, *_section(StudySettings, ""), *final, *_section(TrainSettings, "")]) + "\n"


def _section(model: type[BaseModel], prefix: str) -> list[str]:
    title = f"`[{prefix.removesuffix('.')}]`" if prefix else "The study"
    lines = ["", f"## {title}", "", _text(model.__doc__), "", "| setting | default | meaning |", "| --- | --- | --- |"]
    nested: list[tuple[str, type[BaseModel]]] = []
    for name, field in model.model_fields.items():
        kinds = (field.annotation, *get_args(field.annotation))
        inner = [kind for kind in kinds if inspect.isclass(kind) and issubclass(kind, BaseModel)]
        if inner:
            nested.append((name, inner[0]))
            continue
        default = "needed" if field.is_required() else f"`{_value(field.get_default(call_default_factory=True))}`"
        lines.append(f"| `{prefix}{name}` | {default} | {_cell(field.description or '')} |")
    if lines[-1].startswith("| ---"):
        lines = lines[:-2]
    for name, inner in nested:
        lines += _section(inner, f"{prefix}{name}.")
    return lines


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return "none" if value is None else str(value)


def commands_page() -> str:
    """Options of every command."""
    lines = [
        "# Commands",
        "",
        "`surrogate-nas NAME` and `python -m surrogate_nas.NAME` are the same command. [Exit codes](exit-codes.md) are"
        " the same for all. `surrogate-nas --install-completion` installs completion for your shell.",
    ]
    for name, text in COMMANDS.items():
        lines += ["", f"## {PROGRAM} {name}", "", text]
        module = importlib.import_module(f"surrogate_nas.cli.{name}")
        lines += _command(typer.main.get_command(module.app), f"{PROGRAM} {name}")
    return "\n".join(lines) + "\n"


def _command(command: Any, words: str) -> list[str]:  # noqa: ANN401 - typer carries its own copy of click
    if hasattr(command, "commands"):
        lines = []
        for name, inner in command.commands.items():
            lines += ["", f"### {words} {name}", "", _text(inner.help), *_command(inner, f"{words} {name}")]
        return lines
    lines = ["", "| option | meaning |", "| --- | --- |"]
    for option in command.params:
        names = (
            ", ".join(f"`{name}`" for name in option.opts) if option.opts[0][0] == "-" else f"`{option.name.upper()}`"
        )
        lines.append(f"| {names} | {_cell(getattr(option, 'help', None) or '')} |")
    return lines


def api_page() -> str:
    """The public names of the package, from their docstrings."""
    lines = ["# Python", "", "```python", f"from surrogate_nas import {', '.join(surrogate_nas.__all__)}", "```", ""]
    lines += [
        "All errors derive from `SurrogateNasError`. Messages name the rule, the place, the value and the remedy.",
    ]
    for name in surrogate_nas.__all__:
        public = getattr(surrogate_nas, name)
        lines += ["", f"## {name}", "", "```text", inspect.getdoc(public) or "", "```"]
        for member, what in _own_members(public):
            signature = str(inspect.signature(what)) if callable(what) else ""
            lines += [
                "",
                f"### {name}.{member}",
                "",
                "```text",
                f"{member}{signature}",
                "",
                inspect.getdoc(what) or "",
                "```",
            ]
    lines += ["", "## Conformance kits", "", "Test a class of your own with every check of the kit of its kind.", ""]
    for path in sorted((PACKAGE / "testing").glob("*.py")):
        kit = importlib.import_module(f"surrogate_nas.testing.{path.stem}")
        if any(name.endswith("CHECKS") for name in vars(kit)):
            lines.append(f"- `{kit.__name__}`: {_text(kit.__doc__).splitlines()[0]}")
    return "\n".join([*lines, "", "## Options of a study", "", "```text", inspect.getdoc(Options) or "", "```", ""])


def _own_members(public: object) -> list[tuple[str, object]]:
    """Methods and properties of a class that the project itself defines; a library's base class has none."""
    if not inspect.isclass(public):
        return []
    bases = [base for base in inspect.getmro(public) if base.__module__.startswith("surrogate_nas")]
    names = sorted({name for base in bases for name in vars(base) if not name.startswith("_")})
    found = [(name, inspect.getattr_static(public, name)) for name in names]
    kinds = (property, functools.cached_property)
    return [
        (name, what if isinstance(what, kinds) else getattr(public, name))
        for name, what in found
        if isinstance(what, kinds) or inspect.isroutine(getattr(public, name))
    ]


def _text(text: str | None) -> str:
    """A docstring as a paragraph; double backticks are Markdown's single ones."""
    return inspect.cleandoc(text or "").replace("``", "`").replace("<", "&lt;")


def _cell(text: str) -> str:
    return " ".join(_text(text).split()).replace("|", "\\|")

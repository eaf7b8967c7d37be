"""Command line of spaces: check one before you start a study in it.

python -m surrogate_nas.space check my_space.toml
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from surrogate_nas._support.files import write_text
from surrogate_nas._support.streams import in_one_line
from surrogate_nas.cli import completion
from surrogate_nas.cli.command_line import Version, in_home, new_app, run_command, say
from surrogate_nas.space.drawing import draw_architecture
from surrogate_nas.space.load import load_space

app = new_app()
_NAMED = 12  # architectures in a line


@app.callback()
def _commands(version: Version = False) -> None:
    """Checks search spaces."""


@app.command()
def check(
    space: Annotated[
        str,
        typer.Argument(
            metavar="SPACE", help="Search space by name, or a .toml file.", autocompletion=completion.spaces
        ),
    ],
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of the random architectures.")] = 0,
    drawing: Annotated[
        Path | None,
        typer.Option(callback=in_home, metavar="FILE", help="Draw a random architecture into this SVG file."),
    ] = None,
) -> None:
    """Reads a definition, counts it, and runs the smallest, the largest and some random networks."""
    # A command line stands above everything; the package that it belongs to does not.
    from surrogate_nas.cli.space_check import check_space

    loaded = load_space(space)
    found = check_space(loaded, seed)
    say(f"{loaded.name}: {found.size:,} architectures of {loaded.num_decisions} decisions")
    say("nonlinear functions: " + ", ".join(f"{count}: {ways:,}" for count, ways in found.populations.items()))
    say("parameters: {:,} to {:,}".format(*found.parameters))
    among = "all" if found.exact else "sought, one decision at a time"
    say("multiply-accumulates: {:,} to {:,} ({})".format(*found.flops, among))
    if loaded.known:
        say(in_one_line(f"with a name: {_some(list(loaded.known))}"))
    say(f"ran: {', '.join(found.ran)} (smallest, largest, with every operation, at random)")
    if drawing is not None:
        write_text(drawing, draw_architecture(loaded, found.drawn))
        say(f"drawing of {found.ran[-1]}: {drawing}")


def _some(names: Sequence[str]) -> str:
    """Returns the first names, and how many others there are."""
    rest = f" and {len(names) - _NAMED:,} others" if len(names) > _NAMED else ""
    return f"{'; '.join(names[:_NAMED])}{rest}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; see ``run_command`` for its exit codes."""
    return run_command(app, "python -m surrogate_nas.space", arguments)

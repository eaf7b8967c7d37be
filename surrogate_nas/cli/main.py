"""The console command: one name for all command lines, each of which is imported when it is used.

surrogate-nas study --data photos --latency-budget 5ms
"""

from collections.abc import Sequence
from typing import Any

import typer
import typer.core
import typer.main

from surrogate_nas._support.commands import PROGRAM
from surrogate_nas._support.late import Late
from surrogate_nas.cli.command_line import Version, WholeHelp, new_app, run_command

COMMANDS = {
    "study": "Searches for the best network for your images under your budgets.",
    "report": "Shows everything that a finished study found.",
    "lookup": "Finds the best network of a finished study for another budget, at once.",
    "train": "Trains the network that a study chose, tests it, and exports it.",
    "predict": "Classifies images with a trained network.",
    "hardware": "Profiles devices, and checks latency tables.",
    "space": "Checks a search space before you use it.",
}
"""Subcommand to one line of help; ``surrogate_nas.cli`` has a module of each name."""


class LateCommands(WholeHelp):
    """A group that knows its commands by name, and imports the requested one."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - as typer has them
        super().__init__(**attributes)
        for name, text in COMMANDS.items():
            # Lists of commands need no more than its name and help.
            self.add_command(typer.core.TyperCommand(name, help=text))

    def resolve_command(self, context: Any, words: list[str]) -> Any:  # noqa: ANN401 - typer's has two types
        """Returns the command that the words begin with, imported now, and the words after it."""
        name, command, rest = super().resolve_command(context, words)
        if command is not None:
            command = typer.main.get_command(Late(f"surrogate_nas.cli.{name}:app").target)
        return name, command, rest


app = new_app(cls=LateCommands, add_completion=True)


@app.callback(epilog=f"'{PROGRAM} COMMAND --help' explains one command.")
def _commands(version: Version = False) -> None:
    """Finds the most accurate network for your images that keeps a latency budget."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return run_command(app, PROGRAM, arguments)

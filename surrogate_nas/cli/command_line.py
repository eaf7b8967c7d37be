"""Parts that the project's command lines share: exit codes, and errors as one line on standard error."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

from surrogate_nas import __version__
from surrogate_nas._support.cache_folder import expanded
from surrogate_nas._support.streams import in_one_line, printable, replace_unknown_letters, silence
from surrogate_nas.errors import Interrupted, SettingsError, SurrogateNasError

# Typer carries its own copy of click in some versions; what it exports is the way to the common parent of usage errors.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]


_HELP_OPTIONS = ["--help", "-h"]


class WholeHelp(typer.core.TyperGroup):
    """A group of commands: shows its help where none is named, with the whole first line of each of them."""

    def parse_args(self, context: Any, words: list[str]) -> list[str]:  # noqa: ANN401 - typer's context has two types
        """Reads the words of the command line."""
        if not words and not context.resilient_parsing:
            typer.echo(context.get_help())
            context.exit(SettingsError.exit_code)
        return super().parse_args(context, words)

    def format_commands(self, context: Any, formatter: Any) -> None:  # noqa: ANN401 - likewise
        """Writes the list of commands, whose first lines typer would cut at the width of a terminal."""
        for name in self.list_commands(context):
            command = self.get_command(context, name)
            if command is not None:
                command.short_help = " ".join((command.help or "").partition("\n\n")[0].split())
        super().format_commands(context, formatter)


def new_app(*, cls: type[WholeHelp] = WholeHelp, add_completion: bool = False) -> typer.Typer:
    """Returns an empty command line; all of them show help and errors in one way.

    Args:
        cls: The class of its group, where it has several commands.
        add_completion: Whether it has options that install completion in a shell.
    """
    return typer.Typer(cls=cls, add_completion=add_completion, rich_markup_mode=None, pretty_exceptions_enable=False)


def print_version(wanted: bool) -> None:
    """Prints the version, for ``--version``."""
    if wanted:
        typer.echo(f"surrogate_nas {__version__}")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and exit.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no notes and no progress.")]


def in_home(value: Any) -> Any:  # noqa: ANN401 - of any option
    """Returns the paths of an option with the home folder in the place of ``~``, which shells leave in ``--option=~``.

    Raises:
        SettingsError: If nobody knows that home folder.
    """
    if isinstance(value, list | tuple):
        return type(value)(map(in_home, value))
    return expanded(value) if isinstance(value, Path) else value


def say(text: str) -> None:
    """Prints a result; a reader that went away, such as ``head``, has seen enough and is not an error."""
    try:
        print(printable(text), flush=True)
    except BrokenPipeError:
        # Python would complain when it flushes at exit.
        silence(sys.stdout.fileno())


def complain(text: str) -> None:
    """Prints a warning or an error as one line, on standard error; a name in a file makes no line of its own."""
    typer.echo(in_one_line(text), err=True)


def run_command(app: typer.Typer, program: str, arguments: Sequence[str] | None = None) -> int:
    """Runs a command line; no error of the project or of its usage becomes a traceback.

    Args:
        app: The command line.
        program: How it is called, for its help.
        arguments: Words after the program's name; by default the process's own.

    Returns:
        The exit code: 0 success, 1 failure while running, 2 usage or settings, 3 nothing meets the budget, 130
        interrupted.
    """
    replace_unknown_letters()
    try:
        words = list(arguments) if arguments is not None else None
        code = app(args=words, prog_name=program, standalone_mode=False, help_option_names=_HELP_OPTIONS)
    except SurrogateNasError as error:
        complain(f"error: {error}")
        return error.exit_code
    except _UsageError as error:
        # Its own text may break lines after a list of choices.
        message = " ".join(getattr(error, "format_message", error.__str__)().split())
        complain(f"error: {message} (see --help)")
        return SettingsError.exit_code
    except ModuleNotFoundError as error:
        # Where a lookup table alone is needed, most packages are left out. A module of ours never is.
        package = (error.name or "").partition(".")[0]
        if package in ("", "surrogate_nas"):
            raise
        complain(
            f"error: this needs {package}, which is not installed; install all packages: pip install surrogate_nas"
        )
        return SettingsError.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return Interrupted.exit_code
    return code if isinstance(code, int) else 0

"""What the project's command lines have in common: exit codes, and errors as one line on standard error."""

import os
import sys
from collections.abc import Sequence

import typer

from surrogate_nas import __version__
from surrogate_nas.errors import Interrupted, SettingsError, SurrogateNasError

# Typer carries its own copy of click in some versions; what it exports is the way to the common parent of usage errors.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]


def print_version(wanted: bool) -> None:
    """Callback of ``--version``."""
    if wanted:
        typer.echo(f"surrogate_nas {__version__}")
        raise typer.Exit


def say(text: str) -> None:
    """Prints a result; a reader that went away, such as ``head``, has seen enough and is no error."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # Python would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def run_command(app: typer.Typer, program: str, arguments: Sequence[str] | None = None) -> int:
    """Runs a command line; no error of the project or of its usage becomes a traceback.

    Args:
        app: The command line.
        program: How it is called, for its help.
        arguments: Words after the program's name; those of the process unless given.

    Returns:
        The exit code: 0 success, 1 failure while running, 2 usage or settings, 3 nothing meets the budget, 130
        interrupted.
    """
    try:
        words = list(arguments) if arguments is not None else None
        code = app(args=words, prog_name=program, standalone_mode=False)
    except SurrogateNasError as error:
        typer.echo(f"error: {error}", err=True)
        return error.exit_code
    except _UsageError as error:
        # Its own text may break lines after a list of choices.
        message = " ".join(getattr(error, "format_message", error.__str__)().split())
        typer.echo(f"error: {message} (see --help)", err=True)
        return SettingsError.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return Interrupted.exit_code
    return code if isinstance(code, int) else 0

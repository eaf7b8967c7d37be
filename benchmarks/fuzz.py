"""Reads hostile files of every format that the program reads, and counts tracebacks, hangs and worse.

python -m benchmarks.fuzz all --inputs 100000 --seed 0 --folder /dev/shm/fuzz
python -m benchmarks.fuzz labels --inputs 1000 --calls 10 --folder /dev/shm/fuzz

The folder keeps the smallest input of each fault, and a second call goes on where the first one stopped. In memory,
most formats take a quarter of the time that they take on a disk. Only on Linux.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.breaking.commands import read_by_command
from benchmarks.breaking.formats import FORMATS
from benchmarks.breaking.kills import Campaign
from benchmarks.breaking.watched import Result, read_hostile_files
from surrogate_nas._support.model_format import DESCRIPTION
from surrogate_nas.cli.command_line import complain, run_command, say
from surrogate_nas.errors import SettingsError

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

KINDS = (
    "traceback",
    "hang",
    "memory",
    "died",
    "long message",
    "message of several lines",
    "exit code",
    "foreign code",
    "file outside",
)


def table(results: Sequence[Result]) -> list[str]:
    """Returns a table of Markdown, and below it a line for each distinct fault."""
    lines = [f"| format | inputs | accepted | refused | {' | '.join(KINDS)} |", "| --- " * (len(KINDS) + 4) + "|"]
    for one in results:
        kinds = one.kinds()
        counts = [sum(count for kind, count in kinds.items() if kind.startswith(start)) for start in KINDS]
        lines.append(f"| {' | '.join(map(str, (one.name, one.inputs, one.accepted, one.refused, *counts)))} |")
    return [*lines, "", *(f"- {count} x {line}" for one in results for line, count in one.places())]


@app.command()
def fuzz(
    name: Annotated[str, typer.Argument(metavar="FORMAT", help="A format, or all.")],
    folder: Annotated[Path, typer.Option(help="Keeps results, and the run that good files are of.")],
    inputs: Annotated[
        int, typer.Option(min=0, help="Hostile files of each format, with those of earlier calls.")
    ] = 1000,
    calls: Annotated[int, typer.Option(min=0, help="Hostile files of each format that a command reads as well.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Decides all files.")] = 0,
    run: Annotated[
        Path | None, typer.Option(help="Take good files of this run, whose answer was trained. Without it: make one.")
    ] = None,
) -> None:
    """Reads hostile files in processes that are watched, and by commands."""
    if not sys.platform.startswith("linux"):
        raise SettingsError("processes are watched by /proc, which this system lacks; run this on Linux")
    if name != "all" and name not in FORMATS:
        raise SettingsError(f"unknown format {name!r}; choose from all, {', '.join(FORMATS)}")
    if run is None:
        campaign = Campaign(folder / "run", seed=0)
        campaign.prepare()
        run = campaign.trained
    elif not (run / "best" / DESCRIPTION).is_file():
        raise SettingsError(f"{run} is not a run whose answer was trained; leave --run out to make one")
    results = []
    for one in FORMATS if name == "all" else (name,):
        results.append(read_hostile_files(one, run.absolute(), folder.absolute(), inputs, seed))
        if calls:
            results.append(read_by_command(one, run.absolute(), folder.absolute(), calls, seed))
        complain("\n".join(line for line in table(results[-1:])[2:]))
    say("\n".join(table(results)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return run_command(app, "python -m benchmarks.fuzz", arguments)


if __name__ == "__main__":
    sys.exit(main())

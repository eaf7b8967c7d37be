"""Kills studies and trainings at random times, and writers at each of their file operations, and counts what is lost.

python -m benchmarks.faults --kills 300 --seed 0 --folder /tmp/faults

Every result is kept in the folder, and a second call goes on where the first one stopped. Only on Linux.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, get_args

import typer

from benchmarks.breaking.crash_points import How, Stops, stop_everywhere
from benchmarks.breaking.kills import KILL, Campaign, Cycle, Interruption
from benchmarks.breaking.writers import writers
from surrogate_nas.cli.command_line import complain, run_command, say
from surrogate_nas.errors import SettingsError

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


_HEAD = "| command | signal | to | arrived | in runs with a fault | longest end, s |"


def kills_in(cycles: Iterable[Cycle]) -> int:
    """Returns how many times SIGKILL arrived."""
    return sum(one.signal == KILL for cycle in cycles for one in cycle.interruptions)


def table(cycles: Sequence[Cycle]) -> list[str]:
    """Returns a table of Markdown: a row for each command, signal and victim."""
    rows: dict[tuple[str, str, str], list[tuple[Cycle, Interruption]]] = {}
    for cycle in cycles:
        for one in cycle.interruptions:
            rows.setdefault((cycle.command, one.signal, one.victim), []).append((cycle, one))
    lines = [
        "| command | signal | to | arrived | in runs with a fault | longest end, s |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for key, cases in sorted(rows.items()):
        faulty = sum(bool(cycle.faults) for cycle, _ in cases)
        longest = max(one.seconds_to_end for _, one in cases)
        lines.append(f"| {' | '.join(key)} | {len(cases)} | {faulty} | {longest:.1f} |")
    stages = Counter(f"{cycle.command} {one.after}" for cycle in cycles for one in cycle.interruptions)
    lines += [
        "",
        "After the stage: " + ", ".join(f"{name} {count}" for name, count in sorted(stages.items())),
    ]
    faults = [
        f"- cycle {cycle.seed}-{cycle.index} ({cycle.command}): {'; '.join(cycle.faults)}"
        for cycle in cycles
        if cycle.faults
    ]
    recovered = sum(not cycle.faults for cycle in cycles)
    lines += [
        "",
        f"{len(cycles)} runs, {kills_in(cycles)} SIGKILLs; {recovered} runs ended as the undisturbed one.",
        *faults,
    ]
    return lines


def stops_table(stops: Sequence[Stops]) -> list[str]:
    """Returns a table of Markdown: a row for each writer and each way to stop it."""
    lines = ["| writer | stopped by | operations | old | new | to be finished | faults |", f"{'| --- ' * 7}|"]
    for one in stops:
        counts = (one.old + one.new + one.refused, one.old, one.new, one.refused, len(one.faults))
        lines.append(f"| {one.name} | {one.how} | {' | '.join(map(str, counts))} |")
    return [*lines, "", *(f"- {one.name}, {one.how}: {fault}" for one in stops for fault in one.faults)]


@app.command()
def faults(
    folder: Annotated[Path, typer.Option(help="Keeps the undisturbed run and all results.")],
    kills: Annotated[int, typer.Option(min=0, help="SIGKILLs in all, with those of earlier calls.")] = 300,
    seed: Annotated[int, typer.Option(min=0, help="Decides times and victims.")] = 0,
    points: Annotated[bool, typer.Option(help="Stop every writer before each of its file operations.")] = True,
) -> None:
    """Kills, resumes and compares."""
    if not sys.platform.startswith("linux"):
        raise SettingsError("processes are found by /proc, which this system lacks; run this on Linux")
    campaign = Campaign(folder, seed)
    campaign.prepare()
    cycles = campaign.cycles()
    done = {cycle.index for cycle in cycles if cycle.seed == seed}
    index = max(done, default=-1) + 1
    while kills_in(cycles) < kills:
        cycles.append(campaign.run(index))
        complain(f"{kills_in(cycles)} of {kills} kills; {'; '.join(cycles[-1].faults) or 'no fault'}")
        index += 1
    lines = table(cycles)
    if points:
        all_writers = writers(campaign.trained, campaign.folder).items()
        stops = [
            stop_everywhere(name, writer, campaign.folder / "stops", how)
            for name, writer in all_writers
            for how in get_args(How)
        ]
        lines += ["", *stops_table(stops)]
    say("\n".join(lines))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return run_command(app, "python -m benchmarks.faults", arguments)


if __name__ == "__main__":
    sys.exit(main())

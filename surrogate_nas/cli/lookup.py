"""Command line of the lookup table: a budget goes in, an architecture comes out.

Results go to standard output, errors as one line to standard error. Exit codes: 0 found, 1 damaged table, 2 wrong
usage, 3 nothing meets the budget.
"""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from surrogate_nas._support.streams import in_one_line
from surrogate_nas.cli.budget_options import Budgets, with_budget_options
from surrogate_nas.cli.command_line import AsJson, Version, in_home, new_app, run_command, say
from surrogate_nas.costs.budget import Budget
from surrogate_nas.costs.cost import BOUNDED, COSTS, format_cost, split_cost, upper_of
from surrogate_nas.errors import InfeasibleBudgetError, SettingsError
from surrogate_nas.lookup.entry import Entry
from surrogate_nas.lookup.exports import EXPORTS, export
from surrogate_nas.lookup.metadata import TRAINED
from surrogate_nas.lookup.neighbours import Neighbour
from surrogate_nas.lookup.table import LookupTable

_UNTRAINED = "no: its accuracy is expected from others, and may be far off; train it before you rely on it"

app = new_app()


def look_up(
    *,
    run: Annotated[
        Path,
        typer.Argument(
            callback=in_home, metavar="RUN", help="Run folder of a study, or its lookup.parquet.", show_default=False
        ),
    ],
    budgets: Budgets,
    top: Annotated[int | None, typer.Option(metavar="N", min=1, help="List the best N architectures.")] = None,
    pareto: Annotated[bool, typer.Option("--pareto", help="List the Pareto front. Default without a budget.")] = False,
    arch: Annotated[str | None, typer.Option(metavar="CODE", help="Show this architecture of the table.")] = None,
    near: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="List better or cheaper architectures that differ from this one little."),
    ] = None,
    export_to: Annotated[
        tuple[str, Path] | None,
        typer.Option("--export", callback=in_home, metavar="FORMAT PATH", help=f"Write a file: {', '.join(EXPORTS)}."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Let an export replace a file.")] = False,
    as_json: AsJson = False,
    version: Version = False,  # noqa: ARG001 - its callback acts
) -> None:
    """Finds the architecture with the best predicted accuracy within a budget.

    Percentages are percentiles of the table's own costs. Without a budget, the command prints the Pareto front.
    """
    if pareto and top is not None:
        raise SettingsError("--pareto and --top exclude each other; use one of them")
    if near is not None and pareto:
        raise SettingsError("--near and --pareto exclude each other; use one of them")
    if export_to is not None and (pareto or top or near or as_json):
        raise SettingsError("--export writes a file and lists nothing; leave the other out, or call twice")
    if arch is not None and (pareto or top or near or export_to or any(text is not None for text in budgets.values())):
        raise SettingsError("--arch shows one architecture, whatever a budget is; leave the other options out")
    if overwrite and export_to is None:
        raise SettingsError("--overwrite needs --export, whose file it replaces; leave it out")
    table = LookupTable.load(run)
    if arch is not None:
        entry = table.find(arch)
        if as_json:
            _print_json(table, [], [entry])
        else:
            say(one_below_another(table, entry))
        return
    bounds = table.resolve(**{BOUNDED[key]: text for key, text in budgets.items() if text is not None})
    if export_to is not None:
        count = export(table, *export_to, bounds, overwrite=overwrite)
        say(f"{export_to[1]}: {count:,} architectures")
        return
    try:
        if near is not None:
            found = table.near(near, top or 10, bounds)
            _print_neighbours(table, near, found, as_json=as_json)
            if bounds and not found:
                raise typer.Exit(InfeasibleBudgetError.exit_code)
            return
        front = pareto or not (bounds or top)
        entries = table.pareto(budgets=bounds) if front else table.top(top or 1, bounds)
    except InfeasibleBudgetError:
        if as_json:
            _print_json(table, bounds, [])
        raise
    if as_json:
        _print_json(table, bounds, entries)
    else:
        say(one_below_another(table, entries[0]) if not front and len(entries) == 1 else aligned(table, entries))


app.command(name="look-up")(with_budget_options(look_up))


def _print_neighbours(table: LookupTable, code: str, found: Sequence[Neighbour], *, as_json: bool) -> None:
    if as_json:
        say(json.dumps({"code": code, "neighbours": [one.as_json() for one in found]}, indent=2))
    elif not found:
        say(f"nothing in the table within the budgets is better or cheaper than {code}")
    else:
        lines = aligned(table, [one.entry for one in found]).splitlines()
        changes = ["changes", *(str(len(one.changed)) for one in found)]
        say("\n".join(f"{number:>7}  {line}" for number, line in zip(changes, lines, strict=True)))


def _print_json(table: LookupTable, budgets: Sequence[Budget], entries: Sequence[Entry]) -> None:
    about = table.metadata
    answer: dict[str, Any] = {
        "space": about.space_name,
        "device": about.device,
        "batch_size": about.batch_size,
        "budgets": {budget.cost: budget.limit for budget in budgets},
        "feasible": bool(entries),
        "entries": [entry.as_json() for entry in entries],
        "rivals": list(about.rivals),
    }
    if not entries:
        answer["smallest_reachable"] = {budget.cost: table.smallest(budget.cost) for budget in budgets}
        answer["nearest_misses"] = [entry.as_json() for entry in table.nearest_misses(budgets)]
    say(json.dumps(answer, indent=2))


def one_below_another(table: LookupTable, entry: Entry) -> str:
    """Returns the figures of one entry, a line each."""
    lines = [("code", entry.code), ("architecture", entry.architecture)]
    lines.append(("accuracy", f"{accuracy_text(table, entry)} predicted {table.metadata.accuracy_basis}"))
    lines += [(_label(name), f"{value:.1f}%") for name, value in entry.labels.items()]
    if TRAINED in table.labels and TRAINED not in entry.labels:
        lines.append((_label(TRAINED), _UNTRAINED))
    # What was measured has no margin.
    how = {
        cost: " predicted" if entry.costs[upper] > entry.costs[cost] else f" {COSTS[cost].checked}"
        for cost in table.costs
        if (upper := upper_of(cost)) is not None and upper in table.costs
    }
    lines += [(_short(cost, "_ms"), format_cost(cost, entry.costs[cost]) + how.get(cost, "")) for cost in table.costs]
    if table.metadata.conditions and any(split_cost(cost)[0] == "latency_ms" for cost in table.costs):
        lines.append(("latency of", table.metadata.conditions))
    lines += [("off the shelf", _rival_text(one)) for one in table.metadata.rivals]
    width = max(len(name) for name, _ in lines)
    return "\n".join(in_one_line(f"{name:<{width}}  {text}") for name, text in lines)


def _rival_text(one: Mapping[str, Any]) -> str:
    """Returns how the space compares with the best trained off-the-shelf network at some budgets."""
    budgets = " and ".join(f"{COSTS[cost].title} {format_cost(cost, limit)}" for cost, limit in one["budgets"].items())
    mine, its = (f"{one[name]:.1f}%" for name in ("found_percent", "rival_percent"))
    texts = {
        "space": f"{one['found']} beats {one['rival']}, {mine} against {its}",
        "rival": f"{one['rival']} beats {one['found']}, {its} against {mine}",
        "undecided": f"{one['found']} {mine} and {one['rival']} {its}, too close to call",
    }
    return f"at {budgets}: {texts[one['better']]} after as many epochs each"


def accuracy_text(table: LookupTable, entry: Entry) -> str:
    """Returns a predicted accuracy with its interval, as a report has it."""
    value, half = entry.predicted_accuracy_percent, table.half_interval_percent(entry)
    if half is None:
        return f"{value:.1f}%"
    return f"{value:.1f}% (95%: {max(0.0, value - half):.1f} to {min(100.0, value + half):.1f}%)"


def _label(column: str) -> str:
    return "trained" if column == TRAINED else _short(column, "_percent")


def _short(column: str, unit: str) -> str:
    return column.removesuffix(unit).replace("_", " ").replace("upper", "at most")


def aligned(table: LookupTable, entries: Sequence[Entry]) -> str:
    """Returns the entries as lines of text, one per entry under a line of headings, in columns that line up.

    A terminal that is too narrow for the architectures gets their codes alone.
    """
    shown_labels = [name for name in table.labels if any(name in entry.labels for entry in entries)]
    heads = ["code", "predicted accuracy", *map(_label, shown_labels)]
    rows = [[*heads, *(_short(cost, "_ms") for cost in table.costs), "architecture"]]
    for entry in entries:
        labels = [f"{entry.labels[name]:.1f}%" if name in entry.labels else "" for name in shown_labels]
        costs = [format_cost(cost, entry.costs[cost]) for cost in table.costs]
        rows.append([entry.code, accuracy_text(table, entry), *labels, *costs, entry.architecture])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    if sys.stdout.isatty() and sum(widths) + 2 * len(widths) > shutil.get_terminal_size().columns:
        rows, widths = [row[:-1] for row in rows], widths[:-1]
    return "\n".join(
        in_one_line(
            "  ".join(
                # Numbers end where their column ends, texts start where it starts.
                cell.ljust(width) if rows[0][column] in ("code", "architecture") else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
        )
        for row in rows
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return run_command(app, "python -m surrogate_nas.lookup", arguments)

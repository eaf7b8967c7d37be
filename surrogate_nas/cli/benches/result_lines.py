"""Prints checks of tables, predicted latencies of a space, and measured latencies of finalists."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from surrogate_nas._support.commands import quoted
from surrogate_nas._support.commands import shown as command
from surrogate_nas._support.streams import in_one_line
from surrogate_nas._support.words import count_of, shown
from surrogate_nas.cli.command_line import complain, say
from surrogate_nas.costs.budget import BudgetRequest, parse_budget
from surrogate_nas.costs.cost import COSTS, format_cost, format_reachable, split_cost
from surrogate_nas.errors import BudgetError, InfeasibleBudgetError
from surrogate_nas.space.space import Space

if TYPE_CHECKING:
    from surrogate_nas.deploy.winners import ComparedLatency
    from surrogate_nas.hardware.tables.table_check import TableCheck
    from surrogate_nas.hardware.transfer.device_results import RemoteResults


def check_lines(check: "TableCheck") -> Iterator[str]:
    """Yields the findings of a check for people; a name or a cell of the file makes no line of its own."""
    return map(in_one_line, _findings(check))


def _findings(check: "TableCheck") -> Iterator[str]:
    yield (
        f"{count_of(check.rows, 'row')}; {count_of(check.missing, 'architecture')} missing,"
        f" {count_of(check.duplicates, 'row')} repeated, {check.foreign:,} of unknown architectures"
    )
    yield from (f"  {example}" for example in check.examples)
    for column in check.columns:
        range_ = f"{column.smallest:,.5g} to {column.largest:,.5g}, median {column.median:,.5g}: "
        known = not math.isnan(column.median)
        yield f"{column.name}: {range_ if known else ''}{'; '.join(column.faults) or ('good' if known else 'no rows')}"
        yield from (f"  {example}" for example in column.examples)
    if check.ignored:
        names = ", ".join(name or "(without a name)" for name in check.ignored)
        yield f"not read, as they hold texts or numbers of rows: {names}"
    if check.orphans:
        yield f"not read, as their devices have no column of latencies: {', '.join(check.orphans)}"
    if not check.has_latencies:
        yield "no column of latencies; add one per device, in milliseconds"


def compare_winners(run: Path, results: Path, as_json: bool) -> None:
    """Prints latencies of the finalists on a device beside predictions; raises if none keeps the budget."""
    from dataclasses import asdict

    from surrogate_nas.deploy.winners import compared, first_within, more_threads_note, read_winners, smaller_budget
    from surrogate_nas.hardware.transfer.device_results import read_results

    winners = read_winners(run)
    measured = read_results(results, winners.space, fewest=1)
    latencies = compared(winners, measured)
    if note := more_threads_note(winners, measured):
        complain(f"warning: {note}")
    best = first_within(latencies)
    if as_json:
        found = [asdict(one) | {"within": one.within} for one in latencies]
        say(json.dumps({"device": measured.device, "finalists": found, "best": best and best.code}, indent=2))
    else:
        rows = [["code", "predicted", "measured", "budget", ""]]
        for one in latencies:
            numbers = ["-" if ms is None else format_cost("latency_ms", ms) for ms in (one.predicted, one.measured)]
            numbers.append("-" if one.budget is None else format_cost("latency_ms", one.budget))
            rows.append([one.code, *numbers, _verdict(one)])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        say("\n".join(in_one_line("  ".join(map(str.ljust, row, widths)).rstrip()) for row in rows))
        if best is not None and best.budget is not None:
            say(f"best finalist within the budget on {measured.device}: {best.code}")
    if best is None:
        smaller = smaller_budget(latencies)
        again = command("study", "--output-dir", run, "--resume", "--latency-budget", f"{smaller or 0:.3g}ms")
        raise InfeasibleBudgetError(
            f"no finalist of {run} keeps its budget on {measured.device}"
            + (f". Search again with a smaller budget: {again}" if smaller else "")
        )


def _verdict(one: "ComparedLatency") -> str:
    if one.measured is None:
        return "never settled" if one.noisy else "not in the results"
    if one.budget is None:
        return ""
    return "within" if one.within else "over the budget"


def say_latencies(
    space: Space,
    values: NDArray[np.float64],
    errors: NDArray[np.float64],
    budget: str | None,
    confidence: float,
    path: Path,
    device: str,
    facts: dict[str, Any],
    as_json: bool,
) -> None:
    """Prints the range next to the budget; raises if nothing meets it."""
    from surrogate_nas.hardware.confidence import cautious
    from surrogate_nas.report.judgements import LATENCY_BAD_PERCENT

    connected = space.is_connected(space.all_codes())
    predicted, upper = values[connected], cautious(values[connected], errors, confidence)
    limit = _limit(budget, upper, device)
    share = float(np.mean(upper <= limit)) if limit is not None else None
    smallest, middle, largest = float(predicted.min()), float(np.median(predicted)), float(predicted.max())
    caution = float(upper[0] / predicted[0] - 1)
    if 100 * caution > LATENCY_BAD_PERCENT:
        complain(
            f"warning: a margin of {caution:.0%} is large, so these predictions are of little use for a tight budget;"
            " measure again while the device does nothing else (--remeasure of profile, --again of measure), or more"
            " networks (--networks)"
        )
    if as_json:
        content = {"space": space.name, "smallest_ms": smallest, "median_ms": middle, "largest_ms": largest}
        content |= {"budget_ms": limit, "share_within": share, "confidence": confidence, "caution": caution}
        say(json.dumps(content | {"table": str(path), "column": device, "facts": facts}, indent=2))
    else:
        words = [format_cost("latency_ms", value) for value in (smallest, middle, largest)]
        where = f"{device} in {facts['dtype']}" if "dtype" in facts else device
        lines = [f"latency on {where}: smallest {words[0]}, median {words[1]}, largest {words[2]}"]
        lines.append(
            f"expected error {facts['relative_error']:.1%} (median, drift of {facts['drift']:.1%} included);"
            f" {confidence:.0%} of architectures stay below {1 + caution:.3f} times their prediction"
        )
        if limit is not None and share is not None:
            lines.append(f"budget {format_cost('latency_ms', limit)}: {share:.1%} of architectures meet it")
        lines.append(f"written: {path}; use it with {_use(path, device)}")
        say("\n".join(map(in_one_line, lines)))
    if share == 0:
        least = format_reachable("latency_ms", float(upper.min()))
        raise InfeasibleBudgetError(f"no architecture of {space.name} meets {budget}; the smallest stays below {least}")


def _use(path: Path, device: str) -> str:
    return quoted(["--latency-table", str(path), "--device", device])


def require_budget(budget: str | None) -> BudgetRequest | None:
    """Returns the latency that ``--budget`` asks for; None if it is not given.

    Raises:
        BudgetError: If it is no latency.
    """
    try:
        return None if budget is None else parse_budget("latency_ms", budget)
    except BudgetError as error:
        raise BudgetError(str(error).replace(COSTS["latency_ms"].option, "--budget")) from None


def _limit(budget: str | None, values: NDArray[np.float64], device: str) -> float | None:
    """Returns the latency that a budget allows on a device, which it may name; values are the device's, shape (N,)."""
    request = require_budget(budget)
    if request is None:
        return None
    named = split_cost(request.cost)[1]
    if named not in (None, device):
        raise BudgetError(f"the latencies are of {shown(device)}, and --budget names {shown(named)}; name none")
    return request.resolve(values).limit


def write_measured(path: Path, space: Space, measured: "RemoteResults", budget: str | None, as_json: bool) -> None:
    """Writes what was measured of a space too large to list, and prints its range next to the budget.

    Raises:
        InfeasibleBudgetError: If no measured network meets the budget; the smallest of many draws is among them.
    """
    from surrogate_nas.hardware.tables.partial import rows_needed
    from surrogate_nas.hardware.tables.predicted import write_predicted

    device, values = measured.device, measured.median_ms
    if len(values) < rows_needed(space):
        enough = len(values) + measured.noisy >= rows_needed(space)
        remedy = "measure again while the device does nothing else" if enough else "export more (--networks)"
        complain(f"warning: a study needs {rows_needed(space)} calm measurements of {space.name}: {remedy}")
    facts = {**measured.facts, "networks_measured": len(values), "noisy": measured.noisy, "drift": measured.drift}
    write_predicted(path, space, {device: values}, {}, facts, measured.codes)
    limit = _limit(budget, values, device)
    within = int((values <= limit).sum()) if limit is not None else None
    smallest, middle, largest = float(values.min()), float(np.median(values)), float(values.max())
    if as_json:
        content = {"space": space.name, "smallest_ms": smallest, "median_ms": middle, "largest_ms": largest}
        content |= {"budget_ms": limit, "within": within}
        say(json.dumps(content | {"table": str(path), "column": device, "facts": facts}, indent=2))
    else:
        words = [format_cost("latency_ms", value) for value in (smallest, middle, largest)]
        where = f"{device} in {facts['dtype']}" if "dtype" in facts else device
        lines = [
            f"measured on {where}: {count_of(len(values), 'network')}, smallest {words[0]}, median {words[1]},"
            f" largest {words[2]}",
            f"{space.name} is too large for a table of all its architectures: a study predicts the others from these,"
            " and states its margin",
        ]
        if limit is not None:
            lines.append(f"budget {format_cost('latency_ms', limit)}: {within} of {len(values)} meet it")
        use = "" if len(values) < rows_needed(space) else f"; use it with {_use(path, device)}"
        lines.append(f"written: {path}{use}")
        say("\n".join(map(in_one_line, lines)))
    if within == 0:
        least = format_reachable("latency_ms", smallest)
        raise InfeasibleBudgetError(f"no measured network of {space.name} meets {budget}; the smallest takes {least}")

"""Prints checks of tables, predicted latencies of a space, and measured latencies of finalists."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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


@dataclass(frozen=True)
class Said:
    """Latencies of a space that are printed next to a budget.

    Attributes:
        space: The space.
        device: Name of the device, and of the column of the table.
        path: The table that was written.
        facts: What was measured with what, as JSON takes it.
        values: Latencies of architectures in milliseconds, shape (N,).
        budget: As the user wrote it; None where there is none.
        as_json: Whether a program reads it.
    """

    space: Space
    device: str
    path: Path
    facts: dict[str, Any]
    values: NDArray[np.float64]
    budget: str | None
    as_json: bool

    @property
    def range_ms(self) -> dict[str, float]:
        """The smallest, the median and the largest latency."""
        return {
            "smallest_ms": float(self.values.min()),
            "median_ms": float(np.median(self.values)),
            "largest_ms": float(self.values.max()),
        }

    def show(self, begins: str, lines: Sequence[str], numbers: dict[str, Any], use: str) -> None:
        """Prints the range of the latencies, and then lines for people, or numbers for programs.

        Args:
            begins: Words before the name of the device.
            lines: What follows, a sentence each.
            numbers: The same for programs.
            use: Words after the path of the table.
        """
        if self.as_json:
            content = {"space": self.space.name, **self.range_ms, **numbers}
            say(json.dumps(content | {"table": str(self.path), "column": self.device, "facts": self.facts}, indent=2))
            return
        smallest, middle, largest = (format_cost("latency_ms", value) for value in self.range_ms.values())
        where = f"{self.device} in {self.facts['dtype']}" if "dtype" in self.facts else self.device
        first = f"{begins.format(where)} smallest {smallest}, median {middle}, largest {largest}"
        say("\n".join(map(in_one_line, [first, *lines, f"written: {self.path}{use}"])))


def say_predicted(said: Said, errors: NDArray[np.float64], confidence: float) -> None:
    """Prints the range of predictions next to the budget; raises if nothing meets it.

    Args:
        said: The predictions, of all architectures of the space.
        errors: Measured / predicted - 1 of networks left out of the prediction, shape (M,).
        confidence: With which a latency is to keep a budget.
    """
    from surrogate_nas.hardware.confidence import cautious
    from surrogate_nas.report.judgements import LATENCY_BAD_PERCENT

    connected = said.values[said.space.is_connected(said.space.all_codes())]
    said, upper = replace(said, values=connected), cautious(connected, errors, confidence)
    limit = _limit(said.budget, upper, said.device)
    share = float(np.mean(upper <= limit)) if limit is not None else None
    caution = float(upper[0] / connected[0] - 1)
    if 100 * caution > LATENCY_BAD_PERCENT:
        complain(
            f"warning: a margin of {caution:.0%} is large, so these predictions are of little use for a tight budget;"
            " measure again while the device does nothing else (--remeasure of profile, --again of measure), or more"
            " networks (--networks)"
        )
    lines = [
        f"expected error {said.facts['relative_error']:.1%} (median, drift of {said.facts['drift']:.1%} included);"
        f" {confidence:.0%} of architectures stay below {1 + caution:.3f} times their prediction"
    ]
    if limit is not None and share is not None:
        lines.append(f"budget {format_cost('latency_ms', limit)}: {share:.1%} of architectures meet it")
    numbers = {"budget_ms": limit, "share_within": share, "confidence": confidence, "caution": caution}
    said.show("latency on {}:", lines, numbers, f"; use it with {_use(said.path, said.device)}")
    if share == 0:
        least = format_reachable("latency_ms", float(upper.min()))
        raise InfeasibleBudgetError(
            f"no architecture of {said.space.name} meets {said.budget}; the smallest stays below {least}"
        )


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


def say_measured(said: Said) -> None:
    """Prints the range of what was measured of a space too large to list, next to the budget.

    Args:
        said: The latencies of the measured networks; its facts have the number of ``noisy`` ones.

    Raises:
        InfeasibleBudgetError: If no measured network meets the budget; the smallest of many draws is among them.
    """
    from surrogate_nas.hardware.tables.partial import rows_needed

    space, values, needed = said.space, said.values, rows_needed(said.space)
    if len(values) < needed:
        enough = len(values) + said.facts["noisy"] >= needed
        remedy = "measure again while the device does nothing else" if enough else "export more (--networks)"
        complain(f"warning: a study needs {needed} calm measurements of {space.name}: {remedy}")
    limit = _limit(said.budget, values, said.device)
    within = int((values <= limit).sum()) if limit is not None else None
    lines = [
        f"{space.name} is too large for a table of all its architectures: a study predicts the others from these,"
        " and states its margin"
    ]
    if limit is not None:
        lines.append(f"budget {format_cost('latency_ms', limit)}: {within} of {len(values)} meet it")
    use = "" if len(values) < needed else f"; use it with {_use(said.path, said.device)}"
    begins = f"measured on {{}}: {count_of(len(values), 'network')},"
    said.show(begins, lines, {"budget_ms": limit, "within": within}, use)
    if within == 0:
        least = format_reachable("latency_ms", said.range_ms["smallest_ms"])
        raise InfeasibleBudgetError(
            f"no measured network of {space.name} meets {said.budget}; the smallest takes {least}"
        )

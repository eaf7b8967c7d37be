"""Measures how good the architecture is that a search answers a latency budget with, over devices and budgets.

python -m benchmarks.budget --labels CSV --column NAME --truth CSV --latency CSV --trainings 10
"""

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from benchmarks.budget_answer import Known, answer, search_score
from benchmarks.budget_latency import from_samples, from_table
from benchmarks.budget_tables import BudgetTables, read_budget_tables, score_of_labels
from benchmarks.intervals import mean_and_interval
from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.errors import SettingsError
from surrogate_nas.predictor.features.graph_features import path_features
from surrogate_nas.predictor.protocol import Floats
from surrogate_nas.search.sampler_table import SAMPLERS
from surrogate_nas.search.settings import LoopSettings, SearchSettings
from surrogate_nas.search.trainings.residual import standardised
from surrogate_nas.space.load import load_space

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

REVEALED, JUDGED = "cifar10_valid", "cifar10_test"
_HEAD = f"{'device':16}{'budget':>8}{'limit ms':>11}{'pick':>9}{'ms':>10}{'kept':>6}{'accuracy':>10}{'regret':>8}"


@dataclass(frozen=True)
class Row:
    """One budget on one device, answered.

    Attributes:
        seed: Of the draws.
        device: Column of the latencies.
        percentile: The budget as a percentile of the latencies of connected architectures.
        limit_ms: The budget.
        pick: Code of the answer; None where the search found none.
        latency_ms: Its true latency.
        kept: Whether that is within the budget.
        accuracy_percent: Its true accuracy.
        best_percent: True accuracy of the best architecture within the budget.
        regret: Their difference; not below 0, so that a broken budget is not an advantage.
        hit: Whether the search found the score's own best within the budget as far as latencies were known.
    """

    seed: int
    device: str
    percentile: float
    limit_ms: float
    pick: str | None
    latency_ms: float | None
    kept: bool
    accuracy_percent: float | None
    best_percent: float
    regret: float
    hit: bool


def answer_budgets(
    tables: BudgetTables,
    score: Floats,
    features: Floats,
    device: str,
    percentiles: Sequence[float],
    search: SearchSettings,
    loop: LoopSettings,
    samples: int | None,
    seed: int,
) -> list[Row]:
    """Answers every budget on one device; trainings are counted for each budget, measurements for the device."""
    space, true = tables.space, tables.latency_ms[device]
    codes = space.all_codes()
    connected = space.is_connected(codes)
    latency = from_table(true) if samples is None else from_samples(space, true, samples, seed)
    rows = []
    for position, percentile in enumerate(percentiles):
        limit = float(np.percentile(true[connected], percentile, method="higher"))
        known = Known(space, score, latency.updated(latency.expected_ms), features)
        found = search_score(known, limit, search, seed)
        # Measurements are shared by the budgets of a device; what one does not need is left to the next.
        checks = math.ceil(latency.checks / (len(percentiles) - position))
        pick = answer(known, tables.revealed_percent, latency, limit, found, loop, checks)
        best = float(tables.truth_percent[connected & (true <= limit)].max())
        rows.append(_row(tables, device, percentile, limit, pick, best, found.hit, seed))
    return rows


def _row(
    tables: BudgetTables,
    device: str,
    percentile: float,
    limit: float,
    pick: int | None,
    best: float,
    hit: bool,
    seed: int,
) -> Row:
    if pick is None:
        return Row(seed, device, percentile, limit, None, None, False, None, best, best, hit)
    latency, accuracy = float(tables.latency_ms[device][pick]), float(tables.truth_percent[pick])
    digits = tables.space.digits(tables.space.codes_at(np.array([pick])))[0]
    gap = max(0.0, best - accuracy)
    return Row(seed, device, percentile, limit, digits, latency, latency <= limit, accuracy, best, gap, hit)


def summary(rows: Sequence[Row]) -> dict[str, object]:
    """Figures over all rows: regrets in percentage points of accuracy, counts of budgets, share of hits."""
    regrets = np.array([row.regret for row in rows])
    by_seed = [float(regrets[[row.seed == seed for row in rows]].mean()) for seed in sorted({row.seed for row in rows})]
    _, low, high = mean_and_interval(by_seed)
    return {
        "mean_regret": float(regrets.mean()),
        "mean_regret_low": None if math.isnan(low) else low,
        "mean_regret_high": None if math.isnan(high) else high,
        "worst_regret": float(regrets.max()),
        "budgets_kept": sum(row.kept for row in rows),
        "budgets": len(rows),
        "hits": float(np.mean([row.hit for row in rows])),
        "rows": [asdict(row) for row in rows],
    }


def chosen_devices(text: str, tables: BudgetTables) -> list[str]:
    """Returns the devices of a list separated by commas, or all.

    Raises:
        SettingsError: If one is unknown.
    """
    names = list(tables.latency_ms) if text == "all" else [name.strip() for name in text.split(",")]
    for name in names:
        if name not in tables.latency_ms:
            raise SettingsError(f"--devices has an unknown device {name!r}; choose from {', '.join(tables.latency_ms)}")
    return names


def parse_percentiles(text: str) -> list[float]:
    """Percentiles separated by commas.

    Raises:
        SettingsError: If one is not a number in (0, 100].
    """
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        raise SettingsError(f"--percentiles must be numbers separated by commas (got {text!r})") from None
    if not values or not all(0 < value <= 100 for value in values):
        raise SettingsError(f"--percentiles must be above 0 and at most 100 (got {text!r})")
    return values


@app.command()
def budget(
    labels: Annotated[Path, typer.Option(help="CSV with a column code and one per supernet, in percent.")],
    column: Annotated[str, typer.Option(help="The column of the labels.")],
    truth: Annotated[Path, typer.Option(help=f"CSV with columns code, {REVEALED} and {JUDGED}, in percent.")],
    latency: Annotated[Path, typer.Option(help="CSV with a column code and one per device, in milliseconds.")],
    devices: Annotated[str, typer.Option(help="Devices separated by commas, or all.")] = "all",
    percentiles: Annotated[str, typer.Option(help="Budgets as percentiles of a device's latencies.")] = "20,50,80",
    trainings: Annotated[int, typer.Option(min=0, help=f"Trainings per budget; each reveals {REVEALED}.")] = 10,
    sampler: Annotated[str, typer.Option(help=f"Who searches: {', '.join(SAMPLERS)}.")] = "predictor",
    trials: Annotated[int, typer.Option(min=1, help="Architectures that the sampler proposes.")] = 200,
    train: Annotated[int | None, typer.Option(help="Labels that are shown. Default: all.")] = None,
    latency_samples: Annotated[
        int | None, typer.Option(help="Measured networks per device. Default: all latencies are known.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds 0 to S - 1 of whatever is drawn.")] = 1,
    space: Annotated[str, typer.Option(help="Name of a space, or a .toml file.")] = "nasbench201",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Regret of answers to latency budgets against the best architecture within each budget."""
    if sampler not in SAMPLERS:
        raise SettingsError(f"unknown sampler {sampler!r}; choose from {', '.join(SAMPLERS)}")
    torch.set_num_threads(1)
    limits = parse_percentiles(percentiles)
    loaded = load_space(space)
    tables = read_budget_tables(loaded, labels, column, truth, latency, revealed=REVEALED, judged=JUDGED)
    names = chosen_devices(devices, tables)
    search = SearchSettings.model_validate(
        # One batch of ours; rivals learn between batches.
        {"sampler": sampler, "trials": trials, "front_share": 0, "infeasible_share": 0}
        | {"batch": max(trials, 2) if sampler in ("predictor", "scan") else min(max(trials, 2), 50)}
    )
    loop = LoopSettings(trainings=trainings, stop_gain_percent=0)
    features = standardised(path_features(loaded, loaded.canonical(loaded.all_codes())))
    rows: list[Row] = []
    for seed in range(seeds):
        score = score_of_labels(tables, train, seed)
        for name in names:
            rows += answer_budgets(tables, score, features, name, limits, search, loop, latency_samples, seed)
    result = summary(rows)
    say(json.dumps(result, indent=2) if as_json else table(rows, result))


def table(rows: Sequence[Row], result: dict[str, object]) -> str:
    """Returns the rows and their summary as text."""
    lines = [_HEAD]
    for row in rows:
        found = (
            f"{row.pick:>9}{row.latency_ms:10.4g}{'yes' if row.kept else 'NO':>6}{row.accuracy_percent:10.2f}"
            if row.pick is not None
            else f"{'none':>9}{'-':>10}{'NO':>6}{'-':>10}"
        )
        lines.append(f"{row.device:16}{row.percentile:7g}%{row.limit_ms:11.4g}{found}{row.regret:8.2f}")
    lines.append(
        f"mean regret {result['mean_regret']:.3f}, worst {result['worst_regret']:.2f};"
        f" {result['budgets_kept']} of {result['budgets']} budgets kept; the score's own optimum found in"
        f" {result['hits']:.0%}"
    )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; gives its exit code."""
    return run_command(app, "python -m benchmarks.budget", arguments)


if __name__ == "__main__":
    sys.exit(main())

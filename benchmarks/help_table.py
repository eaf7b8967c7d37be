"""The latency-constrained table of HELP (arXiv 2106.08630, table 4): five devices, three budgets each, CIFAR-100.

python -m benchmarks.help_table --labels CSV --column NAME --truth CSV --latency CSV

Ten networks are measured on each device: some to transfer latencies from the nine devices that HELP trained on, the
others to check what is about to be answered. A training reveals the validation accuracy; answers are judged by the test
accuracy.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from benchmarks.budget_answer import Known, answer, search_score
from benchmarks.budget_latency import DeviceLatency
from benchmarks.budget_tables import BudgetTables, read_budget_tables, score_of_labels
from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.regression.features import latency_views
from surrogate_nas.hardware.transfer.from_devices import Transfer
from surrogate_nas.predictor.features.graph_features import path_features
from surrogate_nas.predictor.protocol import Floats
from surrogate_nas.search.settings import LoopSettings, ResidualSettings, SearchSettings
from surrogate_nas.search.trainings.residual import standardised
from surrogate_nas.space.load import load_space

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

REVEALED, JUDGED = "cifar100_valid", "cifar100_test"
SOURCES = (
    "1080ti_1",
    "1080ti_32",
    "1080ti_256",
    "silver_4114",
    "silver_4210r",
    "samsung_a50",
    "pixel3",
    "essential_ph_1",
    "samsung_s7",
)
# Device, budget in ms, published accuracy, and whether the published answer kept the budget.
PUBLISHED = (
    ("titan_rtx_256", 18.0, 69.7, True),
    ("titan_rtx_256", 21.0, 71.5, True),
    ("titan_rtx_256", 25.0, 71.8, True),
    ("gold_6226", 8.0, 67.3, True),
    ("gold_6226", 11.0, 70.2, True),
    ("gold_6226", 14.0, 72.1, False),
    ("pixel2", 14.0, 69.7, True),
    ("pixel2", 18.0, 71.8, False),
    ("pixel2", 22.0, 73.2, False),
    ("eyeriss", 5.0, 71.5, True),
    ("eyeriss", 7.0, 71.8, True),
    ("eyeriss", 9.0, 73.5, False),
    ("fpga", 4.0, 70.2, True),
    ("fpga", 5.0, 71.8, True),
    ("fpga", 6.0, 73.5, False),
)
MEASUREMENTS = 10
# Relative excess over its prediction that a network is thought capable of where no measurement is left.
CAUTION = 0.2
# Accuracies of good networks on CIFAR-100 spread about twice as wide as on CIFAR-10.
SPREAD_PERCENT = 2.0


@dataclass(frozen=True)
class HelpRow:
    """One budget of the table, answered.

    Attributes:
        device: The device.
        limit_ms: The budget.
        pick: Code of the answer.
        latency_ms: Its true latency.
        kept: Whether that is within the budget.
        accuracy_percent: Its test accuracy on CIFAR-100.
        published_percent: The published answer's accuracy.
        published_kept: Whether the published answer kept the budget.
        measured: Networks measured on the device so far.
    """

    device: str
    limit_ms: float
    pick: str | None
    latency_ms: float
    kept: bool
    accuracy_percent: float
    published_percent: float
    published_kept: bool
    measured: int


def transferred(tables: BudgetTables, device: str, checks: int) -> DeviceLatency:
    """Returns latencies of a device by all of its measurements but ``checks``, which are left.

    Raises:
        SettingsError: If the table lacks a device.
    """
    for name in (*SOURCES, device):
        if name not in tables.latency_ms:
            raise SettingsError(f"the latencies need a column {name} (got {', '.join(tables.latency_ms)})")
    codes = tables.space.all_codes()
    sources = np.stack([tables.latency_ms[name] for name in SOURCES], axis=1)
    transfer = Transfer(latency_views(tables.space, codes), sources)
    true = tables.latency_ms[device]
    rows = transfer.choose(MEASUREMENTS - checks, tables.space.is_connected(codes))
    predicted = transfer.predict(rows, true[rows])
    measured = {int(row): float(true[row]) for row in rows}
    known = DeviceLatency(predicted, predicted * (1 + CAUTION), checks, true, measured)
    known.expected_ms, known.cautious_ms = known.updated(known.expected_ms), known.updated(known.cautious_ms)
    return known


def answer_table(
    tables: BudgetTables, score: Floats, features: Floats, trainings: int, checks_per_budget: int, margin: float
) -> list[HelpRow]:
    """Answers all fifteen budgets."""
    search = SearchSettings(trials=200, batch=200, front_share=0, infeasible_share=0)
    residual = ResidualSettings(spread_percent=SPREAD_PERCENT)
    loop = LoopSettings(trainings=trainings, stop_gain_percent=0, residual=residual)
    rows: list[HelpRow] = []
    devices: dict[str, DeviceLatency] = {}
    for device, limit, published, published_kept in PUBLISHED:
        budgets = sum(row[0] == device for row in PUBLISHED)
        if device not in devices:
            devices[device] = transferred(tables, device, checks_per_budget * budgets)
        latency = devices[device]
        expected = latency.updated(latency.expected_ms * (1 + margin))
        known = Known(tables.space, score, expected, features)
        found = search_score(known, limit, search, 0)
        pick = answer(known, tables.revealed_percent, latency, limit, found, loop, checks_per_budget)
        assert pick is not None, "every budget of the table leaves candidates"
        true = float(tables.latency_ms[device][pick])
        digits = tables.space.digits(tables.space.codes_at(np.array([pick])))[0]
        accuracy = float(tables.truth_percent[pick])
        spent = MEASUREMENTS - latency.checks
        rows.append(HelpRow(device, limit, digits, true, true <= limit, accuracy, published, published_kept, spent))
    return rows


def summary(rows: Sequence[HelpRow]) -> dict[str, object]:
    """Budgets kept, and mean accuracies on the rows that the published answers kept."""
    compared = [row for row in rows if row.published_kept]
    return {
        "budgets_kept": sum(row.kept for row in rows),
        "budgets": len(rows),
        "mean_accuracy_on_published_kept": float(np.mean([row.accuracy_percent for row in compared])),
        "published_mean_accuracy": float(np.mean([row.published_percent for row in compared])),
        "rows": [vars(row) for row in rows],
    }


@app.command()
def help_table(
    labels: Annotated[Path, typer.Option(help="CSV with a column code and one per supernet, in percent.")],
    column: Annotated[str, typer.Option(help="The column of the labels.")],
    truth: Annotated[Path, typer.Option(help=f"CSV with columns code, {REVEALED} and {JUDGED}, in percent.")],
    latency: Annotated[Path, typer.Option(help="CSV with a column code and one per device, in milliseconds.")],
    trainings: Annotated[int, typer.Option(min=0, max=10, help=f"Trainings per budget; each reveals {REVEALED}.")] = 10,
    checks: Annotated[int, typer.Option(min=0, max=3, help="Of the ten measurements, how many check each answer.")] = 1,
    margin: Annotated[float, typer.Option(min=0, help="Relative margin on predicted latencies.")] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """HELP's table with ten measurements per device and at most ten trainings per budget."""
    torch.set_num_threads(1)
    space = load_space("nasbench201")
    tables = read_budget_tables(space, labels, column, truth, latency, revealed=REVEALED, judged=JUDGED)
    features = standardised(path_features(space, space.canonical(space.all_codes())))
    rows = answer_table(tables, score_of_labels(tables, None, 0), features, trainings, checks, margin)
    result = summary(rows)
    if as_json:
        say(json.dumps(result, indent=2))
        return
    lines = [f"{'device':16}{'budget ms':>10}{'pick':>9}{'ms':>8}{'kept':>6}{'accuracy':>10}{'published':>11}"]
    for row in rows:
        star = "" if row.published_kept else "*"
        lines.append(
            f"{row.device:16}{row.limit_ms:10g}{row.pick:>9}{row.latency_ms:8.2f}{'yes' if row.kept else 'NO':>6}"
            f"{row.accuracy_percent:10.2f}{row.published_percent:10.1f}{star:1}"
        )
    lines.append(
        f"{result['budgets_kept']} of {result['budgets']} kept; on the rows that the published answers kept:"
        f" {result['mean_accuracy_on_published_kept']:.2f} against {result['published_mean_accuracy']:.2f}"
    )
    say("\n".join(lines))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; gives its exit code."""
    return run_command(app, "python -m benchmarks.help_table", arguments)


if __name__ == "__main__":
    sys.exit(main())

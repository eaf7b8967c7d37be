"""Measures how well ten measurements on a new device, with tables of other devices, order a whole space.

python -m benchmarks.transfer --table CSV --targets titan_rtx_256,gold_6226,fpga,pixel2,raspi4,eyeriss

The default sources and targets come from HELP (arXiv 2106.08630, NAS-Bench-201).
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.linear_model import Ridge

from benchmarks.latency import PERCENTILES
from benchmarks.latency_tables import LAYERS, DeviceTable, read_devices
from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.confidence import check_confidence, upper_error
from surrogate_nas.hardware.regression.features import latency_views
from surrogate_nas.hardware.transfer.from_devices import Transfer
from surrogate_nas.ranking import kendall_tau

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

SOURCES = "1080ti_1,1080ti_32,1080ti_256,silver_4114,silver_4210r,samsung_a50,pixel3,essential_ph_1,samsung_s7"
TARGETS = "titan_rtx_256,gold_6226,fpga,pixel2,raspi4,eyeriss"
HELP_SPEARMAN = {
    "titan_rtx_256": 0.987,
    "gold_6226": 0.989,
    "fpga": 0.985,
    "pixel2": 0.802,
    "raspi4": 0.890,
    "eyeriss": 0.940,
}
"""As printed in the HELP paper, from ten measurements."""

Row = dict[str, float | str | None]
Floats = NDArray[np.float64]


def spearman(a: Floats, b: Floats) -> float:
    """Spearman's rank correlation of two vectors of shape (N,)."""
    return float(spearmanr(a, b).statistic)


def ridge_baseline(known: Floats, truth: Floats, measured: int, draws: int) -> float:
    """Returns the mean Spearman correlation of ridge regression on the sources' latencies, from random measurements."""
    features = (known - known.mean(axis=0)) / known.std(axis=0)
    found = []
    for seed in range(draws):
        rows = np.random.default_rng(seed).permutation(len(truth))[:measured]
        found.append(spearman(Ridge(1.0).fit(features[rows], truth[rows]).predict(features), truth))
    return float(np.mean(found))


def judge(
    table: DeviceTable, transfer: Transfer, known: Floats, device: str, measured: int, level: float, draws: int
) -> Row:
    """Returns one row: order and error of the predicted latencies of a target, and baselines."""
    truth = table.latency_ms[device]
    rows = transfer.choose(measured, table.connected)
    predicted = transfer.predict(rows, truth[rows])
    others = np.setdiff1d(np.arange(len(truth)), rows)
    upper = predicted * (1 + upper_error(transfer.errors(rows, truth[rows]), level))
    kept = []
    for percentile in PERCENTILES:
        limit = float(np.percentile(truth[table.connected], percentile, method="higher"))
        allowed = table.connected & (upper <= limit)
        if allowed.any():
            kept.append(truth[int(np.argmax(np.where(allowed, predicted, -np.inf)))] <= limit)
    row: Row = {
        "device": device,
        "spearman": spearman(predicted, truth),
        "kendall_tau": kendall_tau(predicted, truth),
        "median_relative_error": float(np.median(np.abs(predicted[others] / truth[others] - 1))),
        "budgets_kept": float(np.mean(kept)) if kept else None,
        "help_paper": HELP_SPEARMAN.get(device),
        "ridge_10_random": ridge_baseline(known, truth, 10, draws),
        "ridge_100_random": ridge_baseline(known, truth, 100, draws),
    }
    if table.space is not None:
        row["flops"] = spearman(table.space.flops(table.codes, table.space.network).astype(np.float64), truth)
    return row


def show(rows: Sequence[Row]) -> str:
    """Returns the rows as a table of text, with means below."""
    names = [name for name in rows[0] if name != "device"]
    mean: Row = {"device": "mean"}
    for name in names:
        known = [float(value) for row in rows if (value := row[name]) is not None]
        mean[name] = float(np.mean(known)) if known else None
    lines = ["device          " + "".join(f"{name:>23}" for name in names)]
    for row in [*rows, mean]:
        lines.append(
            f"{row['device']:16}" + "".join(f"{'-' if row[n] is None else f'{row[n]:.3f}':>23}" for n in names)
        )
    return "\n".join(lines)


@app.command()
def transfer(
    table: Annotated[Path, typer.Option(help="CSV or Parquet with a column code and milliseconds per device.")],
    targets: Annotated[str, typer.Option(help="New devices, separated by commas.")] = TARGETS,
    sources: Annotated[str, typer.Option(help="Known devices, separated by commas.")] = SOURCES,
    measured: Annotated[int, typer.Option(help="Measurements on a new device.")] = 10,
    space: Annotated[
        str, typer.Option(help=f"Space by name or path; {LAYERS} for any chain of layers.")
    ] = "nasbench201",
    confidence: Annotated[float, typer.Option(help="With which picks are to meet their budgets.")] = 0.95,
    draws: Annotated[int, typer.Option(min=1, help="Random draws of the baselines.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array, a row per device.")] = False,
) -> None:
    """Order of latencies on new devices from few measurements, next to baselines."""
    check_confidence(confidence)
    known_names = [name.strip() for name in sources.split(",")]
    target_names = [name.strip() for name in targets.split(",")]
    both = sorted(set(known_names) & set(target_names))
    if both:
        raise SettingsError(f"a target must not be among the sources (got {both[0]} in both)")
    loaded = read_devices(table, space).subset([*known_names, *target_names])
    if not 2 <= measured < len(loaded.codes):
        raise SettingsError(f"--measured must be between 2 and {len(loaded.codes) - 1} (got {measured})")
    known = np.stack([loaded.latency_ms[name] for name in known_names], axis=1)
    model = Transfer(latency_views(loaded.space, loaded.codes), known)
    rows = [judge(loaded, model, known, device, measured, confidence, draws) for device in target_names]
    say(json.dumps(rows, indent=2) if as_json else show(rows))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return run_command(app, "python -m benchmarks.transfer", arguments)


if __name__ == "__main__":
    sys.exit(main())

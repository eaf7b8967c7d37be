"""Latency of a whole space from some measured architectures of one device alone, and whether budgets are then kept.

python -m benchmarks.latency --table CSV --measured 100 --truth ACCURACIES

The method ``table`` is what a study of a chain too large to list reads from a table of its measured networks alone.
The method ``pieces`` times the pieces of the space's networks on this machine, in ONNX Runtime, and corrects their sums
by the measured networks, as a study does where choices of sizes keep latencies from adding up.

Of the devices in alphabetical order, those at odd positions (1, 3, ...) were for choosing the method; the rest is for
reporting.
"""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

import numpy as np
import typer
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.linear_model import Ridge
from sklearn.model_selection import LeaveOneOut, cross_val_predict

from benchmarks.latency_tables import LAYERS, DeviceTable, read_devices
from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.confidence import check_confidence
from surrogate_nas.hardware.measure.bench import Bench
from surrogate_nas.hardware.measure.correction import fit_correction
from surrogate_nas.hardware.measure.piece_sums import PieceSums
from surrogate_nas.hardware.regression.features import View, latency_views
from surrogate_nas.hardware.regression.sparse import FEWEST, SparseLatency, fit_latency
from surrogate_nas.hardware.settings import HardwareSettings
from surrogate_nas.hardware.tables.partial import read_latencies
from surrogate_nas.hardware.transfer.design import choose_informative, design_features
from surrogate_nas.ranking import kendall_tau
from surrogate_nas.report.truth.truth import read_truth
from surrogate_nas.space.space import Space

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

PERCENTILES = (20.0, 50.0, 80.0)
Row = dict[str, float | int | str | None]
Floats = NDArray[np.float64]
Predict = Callable[[NDArray[np.int64], Floats], SparseLatency]
"""Predicts latencies of all N architectures from the measured ones: their rows, (M,), and latencies of all, (N,)."""


def choose_rows(
    views: Sequence[View], connected: NDArray[np.bool_], measured: int, design: str, seed: int
) -> NDArray[np.int64]:
    """Positions of the architectures that are measured, shape (measured,): by design if connected, or at random."""
    positions = np.flatnonzero(connected)
    if not FEWEST <= measured < len(positions):
        raise SettingsError(f"--measured must be between {FEWEST} and {len(positions) - 1} (got {measured})")
    if design == "random":
        return np.random.default_rng(seed).permutation(len(connected))[:measured]
    return positions[choose_informative(design_features(views)[positions], measured)]


def judge(
    table: DeviceTable, device: str, fit: SparseLatency, rows: NDArray[np.int64], score: Floats | None, level: float
) -> Row:
    """Returns one row: errors on the architectures that were not measured, and the outcome of three budgets."""
    truth = table.latency_ms[device]
    others = np.setdiff1d(np.arange(len(truth)), rows)
    relative = np.abs(fit.predicted_ms[others] / truth[others] - 1)
    upper = fit.upper_ms(level)
    cautious = picks(table, truth, upper, fit.predicted_ms, score)
    bold = picks(table, truth, fit.predicted_ms, fit.predicted_ms, score)
    return {
        "device": device,
        "median_relative_error": float(np.median(relative)),
        "kendall_tau": kendall_tau(fit.predicted_ms[others], truth[others]),
        "spearman": float(spearmanr(fit.predicted_ms[others], truth[others]).statistic),
        "stated_error": fit.relative_error,
        "caution": float(upper[0] / fit.predicted_ms[0] - 1),
        "below_upper": float(np.mean(truth[others] <= upper[others])),
        **cautious,
        **{f"{name}_without_caution": value for name, value in bold.items()},
        "views": " + ".join(fit.views),
        "loss": fit.loss,
    }


def picks(table: DeviceTable, truth: Floats, bound: Floats, predicted: Floats, score: Floats | None) -> Row:
    """Returns how many of three budgets hold for the architecture picked under each, and the accuracy that picks lack.

    The pick is the most accurate connected architecture whose bound meets the budget; without accuracies it is the one
    that is predicted to be slowest, nearest to the edge. What it lacks is measured against the most accurate one that
    truly meets the budget.
    """
    connected, kept, made, lost = table.connected, 0, 0, []
    for percentile in PERCENTILES:
        limit = float(np.percentile(truth[connected], percentile, method="higher"))
        allowed = connected & (bound <= limit)
        if not allowed.any():
            continue
        value = predicted if score is None else score
        pick = int(np.argmax(np.where(allowed, value, -np.inf)))
        made, kept = made + 1, kept + int(truth[pick] <= limit)
        if score is not None:
            lost.append(float(score[connected & (truth <= limit)].max() - score[pick]))
    return {
        "budgets_kept": kept / made if made else None,
        "picks": made,
        "accuracy_lost": float(np.mean(lost)) if lost else None,
    }


def summarize(rows: Sequence[Row], name: str) -> Row:
    """Means over devices; of budgets, over picks."""
    summary: Row = {"device": name}
    for key in rows[0]:
        values = [row[key] for row in rows]
        if key.startswith("budgets_kept"):
            made = [row[key.replace("budgets_kept", "picks")] for row in rows]
            pairs = [(float(v), int(m)) for v, m in zip(values, made, strict=True) if v is not None and m is not None]
            total = sum(count for _, count in pairs)
            summary[key] = sum(value * count for value, count in pairs) / total if total else None
        elif key.startswith("picks"):
            summary[key] = sum(int(value) for value in values if value is not None)
        elif key not in ("device", "views", "loss"):
            known = [float(value) for value in values if value is not None]
            summary[key] = float(np.mean(known)) if known else None
    return summary


def show(rows: Sequence[Row]) -> str:
    """Returns the rows as a table of text."""
    head = (
        "device             error%    tau  spearm  stated%  caution%  below%   kept  lost  | kept, lost without caution"
    )
    lines = [head]
    for row in rows:
        number = {key: float("nan") if value is None else value for key, value in row.items()}
        lines.append(
            f"{row['device']:17} {100 * float(number['median_relative_error']):7.2f}  {number['kendall_tau']:.3f}"
            f"   {number['spearman']:.3f}  {100 * float(number['stated_error']):7.2f}"
            f"  {100 * float(number['caution']):8.1f}  {100 * float(number['below_upper']):6.1f}"
            f"  {number['budgets_kept']:5.3f}  {number['accuracy_lost']:4.2f}"
            f"  | {number['budgets_kept_without_caution']:5.3f} {number['accuracy_lost_without_caution']:6.2f}"
        )
    return "\n".join(lines)


def by_views(_loaded: DeviceTable, views: Sequence[View], seed: int) -> Predict:
    """Returns the regression on views of architectures, as ``hardware import-bench`` fits it."""
    return lambda rows, latency_ms: fit_latency(views, rows, latency_ms[rows], seed=seed)


def by_ridge(_loaded: DeviceTable, views: Sequence[View], _seed: int) -> Predict:
    """Returns plain regression on counts, for comparison."""
    features = views[0].features

    def predict(rows: NDArray[np.int64], latency_ms: Floats) -> SparseLatency:
        model = Ridge(alpha=1.0).fit(features[rows], latency_ms[rows])
        held_out = cross_val_predict(Ridge(alpha=1.0), features[rows], latency_ms[rows], cv=LeaveOneOut())
        smallest = float(latency_ms[rows].min())
        errors = latency_ms[rows] / np.maximum(held_out, smallest) - 1
        return SparseLatency(np.maximum(model.predict(features), smallest), errors, (views[0].name,), "squares")

    return predict


def by_table(loaded: DeviceTable, _views: Sequence[View], _seed: int) -> Predict:
    """Returns what a study does that is given a table of the measured architectures.

    Raises:
        SettingsError: If the space is unknown.
    """
    space = loaded.space
    if space is None:
        raise SettingsError(f"--method table needs a --space by name or path, not {LAYERS}")

    def predict(rows: NDArray[np.int64], latency_ms: Floats) -> SparseLatency:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "table.csv"
            lines = [f"{loaded.digits[row]},{latency_ms[row]}" for row in rows]
            path.write_text("\n".join(["code,device", *lines]) + "\n", encoding="utf-8")
            read = read_latencies(space, path, "device")
        predicted = read.evaluate(loaded.codes)["latency_ms"]
        return SparseLatency(predicted, read.held_out_errors("latency_ms"), ("table",), "squares")

    return predict


def by_pieces(loaded: DeviceTable, _views: Sequence[View], _seed: int) -> Predict:
    """Returns a correction of sums of pieces, which are timed here, once for all devices.

    Raises:
        SettingsError: If the pieces are unknown, as nothing is known of the space.
    """
    return predict_by_pieces(*summed_pieces(loaded.space, loaded.codes))


def summed_pieces(space: Space | None, codes: NDArray[np.integer]) -> tuple[Floats, Floats]:
    """Returns latencies of each group of pieces of each network, timed here, (N, G), and numbers of weights, (N,).

    Raises:
        SettingsError: If the pieces are unknown, as nothing is known of the space.
    """
    if space is None:
        raise SettingsError(f"--method pieces needs a --space that has networks, not {LAYERS}")
    sums = PieceSums(space, space.network, Bench(space, space.network, HardwareSettings()))
    effective = space.effective(codes)
    return sums.group_ms(effective), sums.weights(effective)


def predict_by_pieces(groups: Floats, weights: Floats) -> Predict:
    """Returns a correction of sums of pieces.

    Args:
        groups: Latency of each group of pieces of each network, shape (N, G).
        weights: Number of weights of each network, shape (N,).
    """

    def predict(rows: NDArray[np.int64], latency_ms: Floats) -> SparseLatency:
        correction = fit_correction(groups[rows], latency_ms[rows], weights[rows])
        return SparseLatency(correction.predict(groups, weights), correction.held_out, (correction.kind,), "squares")

    return predict


METHODS: dict[str, Callable[[DeviceTable, Sequence[View], int], Predict]] = {
    "views": by_views,
    "ridge": by_ridge,
    "table": by_table,
    "pieces": by_pieces,
}


@app.command()
def latency(
    table: Annotated[Path, typer.Option(help="CSV or Parquet with a column code and milliseconds per device.")],
    measured: Annotated[int, typer.Option(help="Architectures of a device that are measured.")] = 100,
    space: Annotated[
        str, typer.Option(help=f"Space by name or path; {LAYERS} for any chain of layers.")
    ] = "nasbench201",
    truth: Annotated[Path | None, typer.Option(help="CSV with accuracies, by which picks are made.")] = None,
    truth_column: Annotated[str, typer.Option(help="Its column.")] = "cifar10_test",
    confidence: Annotated[float, typer.Option(help="With which picks are to meet their budgets.")] = 0.95,
    method: Annotated[
        Literal["views", "ridge", "table", "pieces"], typer.Option(help="What predicts, see above.")
    ] = "views",
    design: Annotated[Literal["chosen", "random"], typer.Option(help="How the architectures are chosen.")] = "chosen",
    devices: Annotated[str, typer.Option(help="Columns, separated by commas. Default: all.")] = "",
    seed: Annotated[int, typer.Option(min=0, help="Of random designs and folds.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array, a row per device.")] = False,
) -> None:
    """Error and order of latencies predicted from few measurements, device by device, and whether budgets hold."""
    check_confidence(confidence)
    loaded = read_devices(table, space)
    names = [name.strip() for name in devices.split(",")] if devices else sorted(loaded.latency_ms)
    loaded = loaded.subset(names)
    score = None
    if truth is not None:
        if loaded.space is None:
            raise SettingsError(f"--truth needs a --space that knows its architectures, not {LAYERS}")
        score = read_truth(truth, loaded.space, truth_column).accuracy_percent[loaded.space.index(loaded.codes)]
    views = latency_views(loaded.space, loaded.codes)
    predict = METHODS[method](loaded, views, seed)
    rows = choose_rows(views, loaded.connected, measured, design, seed)
    found = [
        judge(loaded, device, predict(rows, truth_ms), rows, score, confidence)
        for device, truth_ms in loaded.latency_ms.items()
    ]
    if as_json:
        say(json.dumps(found, indent=2))
        return
    halves = [("mean, for choosing", found[::2]), ("mean, for reporting", found[1::2]), ("mean", found)]
    say(show([*found, *(summarize(some, name) for name, some in halves if some)]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return run_command(app, "python -m benchmarks.latency", arguments)


if __name__ == "__main__":
    sys.exit(main())

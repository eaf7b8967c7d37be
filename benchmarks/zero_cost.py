"""Zero-cost scores of every architecture of a space: computed, kept in a file, compared with ground truth.

python -m benchmarks.zero_cost --truth CSV --output FILE
python -m benchmarks.zero_cost --space nasbench_macro --truth CSV --truth-column mean_acc --half report
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from numpy.typing import NDArray

from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.errors import SettingsError
from surrogate_nas.predictor.fusion.priors import ExtraScores, make_prior, prior_columns
from surrogate_nas.ranking import kendall_tau, top_tau
from surrogate_nas.report.truth.truth import read_truth
from surrogate_nas.space.class_table import ClassTable
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Codes
from surrogate_nas.zero_cost.cached import compute_table
from surrogate_nas.zero_cost.settings import VOTES, ZeroCostSettings
from surrogate_nas.zero_cost.table import identity, read_table, write_table

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

TRUTH = "cifar10_test"
HALVES = {"choose": 0, "report": 1}


def compare(table: ClassTable, truth: Path, column: str, half: str | None) -> dict[str, tuple[float, float]]:
    """Returns Kendall's tau with the truth and inside the true best 10%, of each score, each count and the prior.

    Args:
        table: Scores of all classes.
        truth: CSV of accuracies.
        column: Its column.
        half: None for all architectures; else a random half of the isomorphism classes, each once with its mean
            accuracy, the same two halves every time: ``"choose"`` to decide by, ``"report"`` to report.

    Raises:
        SettingsError: If there is no such half.
    """
    space, codes = table.space, table.space.all_codes()
    percent = read_truth(truth, space, column).accuracy_percent
    if half is not None:
        if half not in HALVES:
            raise SettingsError(f"--half is {' or '.join(HALVES)} (got {half})")
        percent, codes = _class_means(table, codes, percent), table.codes
        chosen = np.array_split(np.random.default_rng(0).permutation(len(codes)), len(HALVES))[HALVES[half]]
        percent, codes = percent[chosen], codes[chosen]
    known = np.isfinite(percent)
    columns = dict(zip(table.names, table.columns(codes).T, strict=True)) | prior_columns(space, codes)
    columns["prior without them"] = make_prior(space, codes).score(codes)
    if set(VOTES) <= set(table.names):
        columns["prior with them"] = make_prior(space, codes, ExtraScores(table.pick(tuple(VOTES)), VOTES)).score(codes)
    return {
        name: (kendall_tau(values[known], percent[known]), top_tau(values[known], percent[known]))
        for name, values in columns.items()
        if np.ptp(values[known]) > 0
    }


def _class_means(table: ClassTable, codes: Codes, percent: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the mean accuracy of each class of the table over its members with a known one, shape (C,)."""
    space, known = table.space, np.isfinite(percent) & table.space.is_connected(codes)
    row = np.searchsorted(space.index(table.codes), space.index(space.canonical(codes[known])))
    count = len(table.codes)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.bincount(row, percent[known], count) / np.bincount(row, minlength=count))


@app.command()
def zero_cost(
    output: Annotated[Path | None, typer.Option(help="File for the scores.")] = None,
    scores: Annotated[Path | None, typer.Option(help="Take scores from this file instead of computing them.")] = None,
    truth: Annotated[Path | None, typer.Option(help="CSV with a column code and accuracies in percent.")] = None,
    truth_column: Annotated[str, typer.Option(help="Column of the accuracies.")] = TRUTH,
    half: Annotated[str | None, typer.Option(help="choose or report: a random half of the classes, each once.")] = None,
    space: Annotated[str, typer.Option(help="Name of a space, or a .toml file.")] = "nasbench201",
    cells: Annotated[int, typer.Option(min=1, help="Cells per stage of the random networks.")] = 5,
    images: Annotated[int, typer.Option(min=2, help="Gaussian images per network.")] = 16,
    seed: Annotated[int, typer.Option(min=0, help="Decides weights and images.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Scores every architecture of a space before any training."""
    torch.set_num_threads(1)
    loaded, settings = load_space(space), ZeroCostSettings(cells=cells, images=images, seed=seed)
    began = time.process_time()
    table = read_table(scores, loaded) if scores is not None else compute_table(loaded, settings)
    result: dict[str, object] = {"classes": len(table.codes), "processor_seconds": time.process_time() - began}
    if output is not None:
        write_table(output, table, identity(loaded, settings))
    if truth is not None:
        found = compare(table, truth, truth_column, half)
        result["scores"] = {name: {"tau": tau, "top10_tau": top} for name, (tau, top) in found.items()}
    if as_json:
        say(json.dumps(result))
        return
    say(f"{result['classes']:,} classes, {result['processor_seconds']:.0f} s of one processor")
    if truth is not None:
        for name, (tau, top) in found.items():
            say(f"{name:20} tau {tau:6.3f}  true best 10% {top:6.3f}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; gives its exit code."""
    return run_command(app, "python -m benchmarks.zero_cost", arguments)


if __name__ == "__main__":
    sys.exit(main())

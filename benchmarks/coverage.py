"""Measures how often the predictor's intervals of ranks hold labels that it has not seen.

python -m benchmarks.coverage --labels CSV --columns NAME,NAME --truth CSV --train 1000
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from benchmarks.intervals import mean_and_interval
from benchmarks.predictor import Tables, check_options, draw, read_tables
from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.predictor.evidence.rank_interval import LEVEL, ranks_among
from surrogate_nas.predictor.predictor import fit_predictor
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Space

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def held(space: Space, tables: Tables, settings: PredictorSettings, train: int, seed: int) -> dict[str, float]:
    """Fits a predictor to the labels of one draw and looks at all others.

    Returns:
        Share of the other labels whose rank among the labels that were fitted is inside its interval; the share that
        the predictor states itself, of folds left out; and the mean width of the intervals, in shares of all ranks.

    Raises:
        SettingsError: If there are not as many labels, or they cannot be learnt from.
    """
    drawn, codes, labels = draw(tables, train, 0, seed), space.all_codes(), tables.label_percent
    shown = labels[drawn.supernet]
    predictor = fit_predictor(space, codes[drawn.supernet], shown, shown, settings, seed)
    asked = drawn.asked[np.isfinite(labels[drawn.asked])]
    low, high = predictor.rank_interval(codes[asked])
    rank = ranks_among(np.sort(shown), labels[asked])
    inside = (low <= rank) & (rank <= high)
    return {
        "coverage": float(inside.mean()),
        "stated": predictor.intervals.coverage,
        "width": float((high - low).mean()),
    }


@app.command()
def coverage(
    labels: Annotated[Path, typer.Option(help="CSV with a column code and one per supernet, in percent.")],
    columns: Annotated[str, typer.Option(help="Columns of the labels, parted by commas.")],
    truth: Annotated[Path, typer.Option(help="CSV as `python -m benchmarks.predictor` takes it.")],
    train: Annotated[int, typer.Option(help="Labels that are shown.")] = 1000,
    seeds: Annotated[int, typer.Option(help="Draws; the interval is Student's, 95%, of their mean.")] = 3,
    model: Annotated[str, typer.Option(help="Kind of model, as in the settings of the predictor.")] = "gcn",
    recipe: Annotated[str, typer.Option(help="labels, or fusion (with counts alone).")] = "labels",
    space: Annotated[str, typer.Option(help="Name of a space, or a .toml file.")] = "nasbench201",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, by column.")] = False,
) -> None:
    """Share of unseen labels inside the intervals that are to hold 80% of them."""
    check_options(train, 0, seeds, model, recipe)
    torch.set_num_threads(1)
    settings = PredictorSettings.model_validate({"model": model, "recipe": recipe})
    loaded = load_space(space)
    result = {}
    for column in columns.split(","):
        tables = read_tables(loaded, labels, column, truth)
        runs = [held(loaded, tables, settings, train, seed) for seed in range(seeds)]
        result[column] = {name: mean_and_interval([run[name] for run in runs]) for name in runs[0]}
    if as_json:
        say(json.dumps(result))
        return
    for column, figures in result.items():
        words = [f"{name} {mean:.3f} [{low:.3f}, {high:.3f}]" for name, (mean, low, high) in figures.items()]
        say(f"{column} (level {LEVEL}): {', '.join(words)}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; gives its exit code."""
    return run_command(app, "python -m benchmarks.coverage", arguments)


if __name__ == "__main__":
    sys.exit(main())

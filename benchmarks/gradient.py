"""Measures searches by gradients against trained networks: the architecture that each picks, and the order it learns.

python -m benchmarks.gradient --data IMAGES --truth CSV --minutes 5 --seeds 4 --first-seed 1 --labels 1000
python -m benchmarks.gradient --data IMAGES --truth CSV --rows darts,darts@edge,rsps@gradient --minutes 5 --seeds 4
    ... --set partial_channels=2 --supernet-set learning_rate=0.05
python -m benchmarks.gradient --data IMAGES --truth CSV --short                    (every row once, to see that it runs)

A row is a method, or a method and the split of its space. Choose settings on seed 0 and report others. Every row has
the same processor time with ``--minutes``, by a short pilot; splits and distributions are in it. The truth chooses
nothing: of several subspaces, or leaves, validation loss picks one. The leaf that the truth would have picked, the
oracle leaf, stands apart.
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from pydantic import ValidationError

from benchmarks.gradient_search import Bench, prepared, references, run_seed, steps_for
from benchmarks.intervals import mean_and_interval
from benchmarks.supernet import TRUTH, chosen_rows, known_truth, read_settings
from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.errors import SettingsError
from surrogate_nas.gradient.methods import METHODS
from surrogate_nas.gradient.settings import GradientSettings
from surrogate_nas.space.load import load_space
from surrogate_nas.supernet.splits.table import SPLITS

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

FIGURES = {
    "truth": "truth of the pick",
    "oracle": "oracle leaf",
    "leaves_mean": "mean leaf",
    "regret": "regret",
    "best10": "best of likeliest 10",
    "tau": "tau of log p",
    "labels_tau": "tau of labels",
    "skips": "skips",
    "cuts": "none",
    "entropy": "entropy",
}
ROWS = (
    *METHODS,
    *(f"{method}@edge" for method in ("darts", "pcdarts", "snas", "enas")),
    *(f"{method}@gradient" for method in ("darts", "snas", "rsps")),
)
"""Methods alone, and on the splits that papers state them for."""

_OF_SPLITS: dict[str, dict[str, Any]] = {"gradient": {"split_batches": 10}}  # 100 take most of a short search
_SHORT_STEPS = 12
_SHORT_CANDIDATES = 5


def gradient_settings(row: str, changes: Sequence[str]) -> GradientSettings:
    """Returns settings of a row, ``METHOD`` or ``METHOD@SPLIT``, with single settings, each as ``key=value``.

    Raises:
        SettingsError: If a row or a setting is unknown, or its value does not fit.
    """
    method, _, split = row.partition("@")
    if method not in METHODS or split not in ("", *SPLITS):
        raise SettingsError(
            f"--rows takes some of {', '.join(METHODS)}, separated by commas, each alone or with a split, such as"
            f" darts@edge or rsps@gradient (got {row!r})"
        )
    given: dict[str, Any] = {"method": method}
    if split:
        given |= {"split": split} | _OF_SPLITS.get(split, {})
    for change in changes:
        key, separator, value = change.partition("=")
        if not separator:
            raise SettingsError(f"--set needs key=value, such as partial_channels=2 (got {change!r})")
        try:
            given[key] = json.loads(value)
        except json.JSONDecodeError:
            given[key] = value
    try:
        return GradientSettings.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "gradient"
        raise SettingsError(f"{where}: {first['msg']} (row {row})") from None


def measure(
    bench: Bench, settings: GradientSettings, seeds: Sequence[int], votes: Sequence[Path | None]
) -> dict[str, Any]:
    """Returns a row: means over seeds, the ends of the interval of the picked truth, and the leaves of every seed."""
    runs = [run_seed(bench, settings, seed, file) for seed, file in zip(seeds, votes, strict=True)]
    means = {name: mean_and_interval([run[name] for run in runs]) for name in (*FIGURES, "minutes")}
    ends = dict(zip(("truth_low", "truth_high"), means["truth"][1:], strict=True))
    leaves = {"leaves": [run["leaves"] for run in runs], "picked": [run["picked"] for run in runs]}
    return {name: mean for name, (mean, _, _) in means.items()} | ends | leaves


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Returns Markdown: a line for each row, and below the table the leaves of every seed."""
    titles = ["row", "seeds", *FIGURES.values(), "95% of truth", "steps", "processor min"]
    lines = [f"| {' | '.join(titles)} |", f"| --- |{' ---: |' * (len(titles) - 1)}"]
    for row in rows:
        figures = ["-" if np.isnan(row[name]) else f"{row[name]:.2f}" for name in FIGURES]
        interval = f"{row['truth_low']:.2f} to {row['truth_high']:.2f}" if row["seeds"] > 1 else ""
        cells = [row["row"], str(row["seeds"]), *figures, interval, f"{row['steps']:,}", f"{row['minutes']:.1f}"]
        lines.append(f"| {' | '.join(cells)} |")
    for row in rows:
        for seed, leaves, picked in zip(row["seed_numbers"], row["leaves"], row["picked"], strict=True):
            if len(leaves) > 1:
                words = (f"**{value:.2f}**" if at == picked else f"{value:.2f}" for at, value in enumerate(leaves))
                lines += [
                    "",
                    f"{row['row']}, seed {seed}, truth of all leaves, the picked one in bold: {' '.join(words)}",
                ]
    return "\n".join(lines)


@app.command()
def gradient(
    data: Annotated[Path, typer.Option(help="Folder of images, one folder a class.")],
    truth: Annotated[Path, typer.Option(help="CSV with a column code and one of accuracies in percent.")],
    truth_column: Annotated[str, typer.Option(help="Column of the accuracies.")] = TRUTH,
    rows: Annotated[
        str, typer.Option(help="Methods, separated by commas; with a split as darts@edge or rsps@gradient.")
    ] = ",".join(ROWS),
    steps: Annotated[int | None, typer.Option(min=1, help="Training steps of each search.")] = None,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="Processor minutes of each search, instead.")] = None,
    short: Annotated[bool, typer.Option("--short", help="A dozen steps of one seed, instead: does it run?")] = False,
    seeds: Annotated[int, typer.Option(min=1, help="Searches; the interval is Student's, 95%, of their mean.")] = 1,
    first_seed: Annotated[int, typer.Option(min=0, help="Seed of the first search.")] = 1,
    labels: Annotated[
        int, typer.Option(min=0, help="Architectures to label where methods train paths; their time is not counted.")
    ] = 0,
    validation_images: Annotated[int, typer.Option(min=2, help="Held-out images that leaves are compared on.")] = 1000,
    channels: Annotated[int, typer.Option(min=1, help="Channels of the supernet's first stage.")] = 8,
    cells: Annotated[int, typer.Option(min=1, help="Cells per stage of the supernet.")] = 1,
    image_size: Annotated[int, typer.Option(min=4, help="Pixels per side.")] = 16,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="A setting of the search, such as partial_channels=2.")
    ] = None,
    supernet_changes: Annotated[
        list[str] | None,
        typer.Option("--supernet-set", help="A supernet setting; final_learning_rate=0.05 unless you give another."),
    ] = None,
    space: Annotated[str, typer.Option(help="Name or path of a space.")] = "nasbench201",
    votes: Annotated[
        Path | None, typer.Option(help="Folder for log-probabilities, which `python -m benchmarks.predictor` reads.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a row.")] = False,
) -> None:
    """Accuracy of the architectures that searches by gradients pick, at a stated processor time."""
    if (steps is not None) + (minutes is not None) + short != 1:
        raise SettingsError("give one of --steps, --minutes and --short")
    if short and seeds > 1:
        raise SettingsError(f"--short is one search of each row: leave --seeds out (got {seeds})")
    names = [name.strip() for name in rows.split(",")]
    asked = [gradient_settings(name, changes or []) for name in names]
    loaded = load_space(space)
    codes, truth_percent = known_truth(loaded, truth, truth_column)
    if labels:
        chosen_rows(len(codes), labels, "report")  # refused before anything is measured
    sizes: dict[str, float] = {"channels": channels, "cells": cells, "final_learning_rate": 0.05}
    supernet = read_settings("auto", supernet_changes or [], sizes)
    with tempfile.TemporaryDirectory() as folder:
        images = DataSettings(source="folder", path=str(data), image_size=image_size, shift=0)
        bench = replace(
            prepared(loaded, images, supernet, Path(folder)),
            codes=codes,
            truth_percent=truth_percent,
            validation_images=validation_images,
            labels=labels,
        )
        if not as_json:
            say("\n".join(f"{name}: {value:.2f}" for name, value in references(bench).items()) + "\n")
        found = []
        for settings in asked:
            bench.plan(settings, 0)  # refused before the first row is measured
        for name, settings in zip(names, asked, strict=True):
            count = _SHORT_STEPS if short else steps or steps_for(bench, settings, minutes or 0.0)
            few = {"candidates": min(settings.candidates, _SHORT_CANDIDATES)} if short else {}
            measured = settings.model_copy(update={"steps": count} | few)
            numbers = range(first_seed, first_seed + seeds)
            row = {"row": name, "seeds": seeds, "seed_numbers": list(numbers), "steps": count}
            files = [None if votes is None else votes / f"{name}-{number}.csv" for number in numbers]
            found.append(row | measure(bench, measured, numbers, files))
            if as_json:
                say(json.dumps({key: None if value != value else value for key, value in found[-1].items()}))
        if not as_json:
            say(table(found))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return run_command(app, "python -m benchmarks.gradient", arguments)


if __name__ == "__main__":
    sys.exit(main())

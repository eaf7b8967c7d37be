"""Measures searches by gradients against trained networks: the architecture that each picks, and the order it learns.

python -m benchmarks.gradient --data IMAGES --truth CSV --rows darts,snas,gdas --minutes 5 --seeds 4 --first-seed 1
python -m benchmarks.gradient --data IMAGES --truth CSV --rows darts --steps 200 --seeds 1          (a quick look)
    ... --set partial_channels=2 --supernet-set learning_rate=0.05

Choose settings on seed 0 and report others. Every row has the same processor time with ``--minutes``, by a short pilot.
The truth chooses nothing: the picked architecture is the method's own.
"""

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from pydantic import ValidationError

from benchmarks.intervals import mean_and_interval
from benchmarks.supernet import TRUTH, known_truth, read_settings
from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.data.cache import save_splits
from surrogate_nas.data.loading import load_images
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.errors import SettingsError
from surrogate_nas.gradient.job import LearningJob
from surrogate_nas.gradient.learned import read_learned
from surrogate_nas.gradient.learning import run_learning
from surrogate_nas.gradient.methods import METHODS
from surrogate_nas.gradient.settings import GradientSettings
from surrogate_nas.ranking import kendall_tau
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.supernet.settings import SupernetSettings

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

Floats = NDArray[np.float64]
FIGURES = {
    "truth": "truth",
    "regret": "regret",
    "best10": "best of likeliest 10",
    "tau": "tau of log p",
    "skips": "skips",
    "cuts": "none",
    "entropy": "entropy",
}
_PILOT_STEPS = (20, 60)
_LIKELIEST = 10


@dataclass(frozen=True)
class Bench:
    """The parts that all rows of a run share.

    Attributes:
        job: A search on the images, of which rows and seeds change the settings.
        codes: Connected architectures with a known accuracy, shape (N, D).
        truth_percent: Their accuracy after training, shape (N,).
    """

    job: LearningJob
    codes: Codes
    truth_percent: Floats

    def truth_of(self, code: Codes) -> float:
        """Returns the known accuracy of an architecture, shape (D,); NaN where there is none."""
        row = np.flatnonzero((self.codes == code).all(axis=1))
        return float(self.truth_percent[row[0]]) if len(row) else float("nan")


def references(bench: Bench) -> dict[str, float]:
    """Returns what needs no training: the optimum, a random architecture, and the one with most live parameters."""
    space = bench.job.space
    sizes = space.parameters(space.effective(bench.codes), space.network)
    return {
        "optimum": float(bench.truth_percent.max()),
        "random architecture, mean": float(bench.truth_percent.mean()),
        "random architecture, median": float(np.median(bench.truth_percent)),
        "most effective parameters": float(bench.truth_percent[sizes.argmax()]),
    }


def run_seed(bench: Bench, settings: GradientSettings, seed: int) -> dict[str, float]:
    """Searches once; returns the figures of the pick and of the order by log-probability, and the cost."""
    with tempfile.TemporaryDirectory() as folder:
        job = replace(bench.job, settings=settings, seed=seed, file=Path(folder) / "state.safetensors")
        began = time.process_time()
        run_learning(job, lambda _: None, lambda: False)
        learned = read_learned(job)
        minutes = (time.process_time() - began) / 60
    log_probability = learned.log_probabilities(bench.codes)
    first = np.argsort(-log_probability, kind="stable")[:_LIKELIEST]
    truth = bench.truth_of(learned.code)
    return {
        "truth": truth,
        "regret": float(bench.truth_percent.max()) - truth,
        "best10": float(bench.truth_percent[first].max()),
        "tau": kendall_tau(log_probability, bench.truth_percent),
        "skips": float(learned.collapse.skips),
        "cuts": float(learned.collapse.cuts),
        "entropy": learned.collapse.entropy_share,
        "minutes": minutes,
    }


def steps_for(bench: Bench, settings: GradientSettings, minutes: float) -> int:
    """Returns the steps that take so many processor minutes, by two short searches."""
    taken = []
    for steps in _PILOT_STEPS:
        pilot = settings.model_copy(update={"steps": steps})
        taken.append(run_seed(bench, pilot, 0)["minutes"])
    # What a search takes before its first step is in both.
    most = max(taken[1] - taken[0], taken[1] / 10)  # a disturbed pilot must not make steps cost nothing
    a_step = most / (_PILOT_STEPS[1] - _PILOT_STEPS[0])
    return max(1, round((minutes - taken[0]) / max(a_step, 1e-9)) + _PILOT_STEPS[0])


def gradient_settings(method: str, changes: Sequence[str]) -> GradientSettings:
    """Returns settings of a row with single settings, each as ``key=value``.

    Raises:
        SettingsError: If a row or a setting is unknown, or its value does not fit.
    """
    if method not in METHODS:
        raise SettingsError(f"--rows takes some of {', '.join(METHODS)}, separated by commas (got {method!r})")
    given: dict[str, Any] = {"method": method}
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
        raise SettingsError(f"{where}: {first['msg']} (row {method})") from None


def measure(bench: Bench, settings: GradientSettings, seeds: Sequence[int]) -> dict[str, Any]:
    """Returns a row: means over seeds, with the ends of the interval of the picked truth."""
    runs = [run_seed(bench, settings, seed) for seed in seeds]
    means = {name: mean_and_interval([run[name] for run in runs]) for name in (*FIGURES, "minutes")}
    ends = dict(zip(("truth_low", "truth_high"), means["truth"][1:], strict=True))
    return {name: mean for name, (mean, _, _) in means.items()} | ends


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Returns Markdown: a line for each row."""
    titles = ["row", "seeds", *FIGURES.values(), "95% of truth", "steps", "processor min"]
    lines = [f"| {' | '.join(titles)} |", f"| --- |{' ---: |' * (len(titles) - 1)}"]
    for row in rows:
        figures = [f"{row[name]:.2f}" for name in FIGURES]
        interval = f"{row['truth_low']:.2f} to {row['truth_high']:.2f}" if row["seeds"] > 1 else ""
        cells = [row["row"], str(row["seeds"]), *figures, interval, f"{row['steps']:,}", f"{row['minutes']:.1f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def prepared(space: Space, images: DataSettings, supernet: SupernetSettings, folder: Path) -> LearningJob:
    """Returns a search on images that it caches in a folder."""
    splits = load_images(images, seed=0)
    save_splits(folder, splits)
    classes, stages = len(splits.class_names), space.network.stages
    sizes = NetworkSpec(supernet.channels, supernet.cells, splits.image_size, splits.channels, classes, stages)
    return LearningJob(
        space, sizes, GradientSettings(), supernet, 0, folder, images, folder, {"space": space.fingerprint}
    )


@app.command()
def gradient(
    data: Annotated[Path, typer.Option(help="Folder of images, one folder a class.")],
    truth: Annotated[Path, typer.Option(help="CSV with a column code and one of accuracies in percent.")],
    truth_column: Annotated[str, typer.Option(help="Column of the accuracies.")] = TRUTH,
    rows: Annotated[str, typer.Option(help="Methods, separated by commas.")] = ",".join(METHODS),
    steps: Annotated[int | None, typer.Option(min=1, help="Training steps of each search.")] = None,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="Processor minutes of each search, instead.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Searches; the interval is Student's, 95%, of their mean.")] = 1,
    first_seed: Annotated[int, typer.Option(min=0, help="Seed of the first search.")] = 1,
    channels: Annotated[int, typer.Option(min=1, help="Channels of the supernet's first stage.")] = 8,
    cells: Annotated[int, typer.Option(min=1, help="Cells per stage of the supernet.")] = 1,
    image_size: Annotated[int, typer.Option(min=4, help="Pixels per side.")] = 16,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="A setting of the search, such as partial_channels=2.")
    ] = None,
    supernet_changes: Annotated[
        list[str] | None, typer.Option("--supernet-set", help="A supernet setting, such as batch_size=32.")
    ] = None,
    space: Annotated[str, typer.Option(help="Name or path of a space.")] = "nasbench201",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a row.")] = False,
) -> None:
    """Accuracy of the architectures that searches by gradients pick, at a stated processor time."""
    if (steps is None) == (minutes is None):
        raise SettingsError("give either --steps or --minutes")
    methods = [gradient_settings(name.strip(), changes or []) for name in rows.split(",")]
    loaded = load_space(space)
    codes, truth_percent = known_truth(loaded, truth, truth_column)
    supernet = read_settings("auto", supernet_changes or [], {"channels": channels, "cells": cells})
    with tempfile.TemporaryDirectory() as folder:
        images = DataSettings(source="folder", path=str(data), image_size=image_size, shift=0)
        bench = Bench(prepared(loaded, images, supernet, Path(folder)), codes, truth_percent)
        if not as_json:
            say("\n".join(f"{name}: {value:.2f}" for name, value in references(bench).items()) + "\n")
        found = []
        for settings in methods:
            replace(bench.job, settings=settings).build()  # refused before the first row is measured
        for settings in methods:
            count = steps if steps is not None else steps_for(bench, settings, minutes or 0.0)
            measured = settings.model_copy(update={"steps": count})
            row = measure(bench, measured, range(first_seed, first_seed + seeds))
            found.append({"row": settings.method, "seeds": seeds, "steps": count} | row)
            if as_json:
                say(json.dumps({key: None if value != value else value for key, value in found[-1].items()}))
        if not as_json:
            say(table(found))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return run_command(app, "python -m benchmarks.gradient", arguments)


if __name__ == "__main__":
    sys.exit(main())

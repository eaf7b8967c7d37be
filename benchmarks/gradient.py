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
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from pydantic import ValidationError

from benchmarks.intervals import mean_and_interval
from benchmarks.supernet import TRUTH, chosen_rows, known_truth, read_settings
from surrogate_nas._processes.workers import Job, Result, Task, Workers
from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.data.cache import save_splits
from surrogate_nas.data.loading import load_images
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.errors import SettingsError
from surrogate_nas.gradient.craft import craft
from surrogate_nas.gradient.job import LearningJob, learning_plan
from surrogate_nas.gradient.learned import read_learned
from surrogate_nas.gradient.methods import METHODS
from surrogate_nas.gradient.settings import GradientSettings
from surrogate_nas.ranking import kendall_tau
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.supernet.evaluation import EvaluationJob, evaluate_member
from surrogate_nas.supernet.plan import SupernetPlan
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.supernet.splits.table import SPLITS
from surrogate_nas.supernet.stage import Workplace, train_stage

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

Floats = NDArray[np.float64]
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
_PILOT_STEPS = (20, 60)
_SHORT_STEPS = 12
_SHORT_CANDIDATES = 5
_LIKELIEST = 10
_AT_ONCE = 250


@dataclass(frozen=True)
class Bench:
    """The parts that all rows of a run share.

    Attributes:
        space: The search space.
        network: Sizes of the supernet.
        supernet: Batches and rates.
        images: Folder of cached images.
        data: How images are augmented.
        codes: Connected architectures with a known accuracy, shape (N, D).
        truth_percent: Their accuracy after training, shape (N,).
        validation_images: Held-out images that leaves are compared on, and labels are of.
        labels: Architectures to label with the weights that methods have trained on paths; 0 for none.
    """

    space: Space
    network: NetworkSpec
    supernet: SupernetSettings
    images: Path
    data: DataSettings
    codes: Codes
    truth_percent: Floats
    validation_images: int = 1000
    labels: int = 0

    def truth_of(self, code: Codes) -> float:
        """Returns the known accuracy of an architecture, shape (D,); NaN where there is none."""
        row = np.flatnonzero((self.codes == code).all(axis=1))
        return float(self.truth_percent[row[0]]) if len(row) else float("nan")

    def plan(self, settings: GradientSettings, seed: int) -> SupernetPlan:
        """Returns the trainings of a search.

        Raises:
            SettingsError: If the settings do not fit the space.
        """
        return learning_plan(self.space, self.network, settings, self.supernet, seed)


class OneProcess(Workers):
    """Runs one job after another in this process, whose processor time is measured."""

    processes = 1

    def run(
        self,
        task: Task[Job, Result],
        jobs: Sequence[Job],
        *,
        on_result: Callable[[int, Result], None],
        on_progress: Callable[[int], None],
        should_stop: Callable[[], bool],
        on_death: Callable[[int], None] | None = None,
    ) -> None:
        """Runs a task on every job."""
        del on_progress, on_death
        for position, job in enumerate(jobs):
            on_result(position, task(job, lambda _: None, should_stop))

    def close(self) -> None:
        """Has nothing to end."""


def references(bench: Bench) -> dict[str, float]:
    """Returns what needs no training: the optimum, a random architecture, and the one with most live parameters."""
    space = bench.space
    sizes = space.parameters(space.effective(bench.codes), space.network)
    return {
        "optimum": float(bench.truth_percent.max()),
        "random architecture, mean": float(bench.truth_percent.mean()),
        "random architecture, median": float(np.median(bench.truth_percent)),
        "most effective parameters": float(bench.truth_percent[sizes.argmax()]),
    }


def run_seed(bench: Bench, settings: GradientSettings, seed: int) -> dict[str, Any]:
    """Searches once; returns the figures of the pick, of all leaves and of the order by log-probability, and the cost.

    The key ``leaves`` has the truth of every leaf's architecture, in the order of the subspaces; ``picked`` is the
    number of the picked one.
    """
    with tempfile.TemporaryDirectory() as folder:
        identity = {"space": bench.space.fingerprint}
        place = Workplace(Path(folder), bench.images, bench.data, identity, craft=craft(settings))
        began = time.process_time()
        plan = train_stage(bench.plan(settings, seed), place, OneProcess(), _silent, lambda: False)
        jobs = [LearningJob(place.job(plan, training), settings) for training in plan.phases[-1]]
        learned = read_learned(jobs, bench.validation_images, _AT_ONCE)
        minutes = (time.process_time() - began) / 60
        labels_tau = label_agreement(bench, jobs)
    log_probability = learned.log_probabilities(bench.codes)
    first = np.argsort(-log_probability, kind="stable")[:_LIKELIEST]
    leaves = [bench.truth_of(leaf.code) for leaf in learned.leaves]
    picked, collapse = learned.leaves.index(learned.chosen), learned.chosen.collapse
    return {
        "truth": leaves[picked],
        "oracle": max(leaves),
        "leaves_mean": float(np.mean(leaves)),
        "regret": float(bench.truth_percent.max()) - leaves[picked],
        "best10": float(bench.truth_percent[first].max()),
        "tau": kendall_tau(log_probability, bench.truth_percent),
        "labels_tau": labels_tau,
        "skips": float(collapse.skips),
        "cuts": float(collapse.cuts),
        "entropy": collapse.entropy_share,
        "minutes": minutes,
        "leaves": leaves,
        "picked": picked,
    }


def label_agreement(bench: Bench, jobs: Sequence[LearningJob]) -> float:
    """Returns Kendall tau between labels and truth; NaN without labels, or where weights were not trained on paths.

    Labels are minus the loss on validation images, of each architecture with the weights of its own subspace.
    """
    if not bench.labels or jobs[0].settings.row.weights_see not in ("path", "uniform"):
        return float("nan")
    rows = chosen_rows(len(bench.codes), bench.labels, "report")
    codes, labels = bench.codes[rows], np.empty(len(rows))
    members = jobs[0].plan.member_of(codes)
    for number, job in enumerate(jobs):
        mine = np.flatnonzero(members == number)
        found = evaluate_member(
            EvaluationJob(
                job.plan,
                number,
                tuple(tuple(code) for code in codes[mine].tolist()),
                bench.images,
                bench.validation_images,
                _AT_ONCE,
                job.file,
                job.work.belongs_to,
            ),
            lambda _: None,
            lambda: False,
        )
        assert found is not None
        labels[mine] = -found.loss
    return kendall_tau(labels, bench.truth_percent[rows])


@contextmanager
def _silent(_title: str) -> Iterator[Callable[[int, int], None]]:
    yield lambda _done, _total: None


def steps_for(bench: Bench, settings: GradientSettings, minutes: float) -> int:
    """Returns the steps that take so many processor minutes, by two short searches."""
    taken, quiet = [], replace(bench, labels=0)
    for steps in _PILOT_STEPS:
        pilot = settings.model_copy(update={"steps": steps})
        taken.append(float(run_seed(quiet, pilot, 0)["minutes"]))
    # What a search takes before its first step is in both.
    most = max(taken[1] - taken[0], taken[1] / 10)  # a disturbed pilot must not make steps cost nothing
    a_step = most / (_PILOT_STEPS[1] - _PILOT_STEPS[0])
    return max(_SHORT_STEPS, round((minutes - taken[0]) / max(a_step, 1e-9)) + _PILOT_STEPS[0])


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


def measure(bench: Bench, settings: GradientSettings, seeds: Sequence[int]) -> dict[str, Any]:
    """Returns a row: means over seeds, the ends of the interval of the picked truth, and the leaves of every seed."""
    runs = [run_seed(bench, settings, seed) for seed in seeds]
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


def prepared(space: Space, images: DataSettings, supernet: SupernetSettings, folder: Path) -> Bench:
    """Returns the bench of a space and images, which it caches in a folder, without known accuracies."""
    splits = load_images(images, seed=0)
    save_splits(folder, splits)
    classes, stages = len(splits.class_names), space.network.stages
    sizes = NetworkSpec(supernet.channels, supernet.cells, splits.image_size, splits.channels, classes, stages)
    return Bench(space, sizes, supernet, folder, images, space.sample(0, np.random.default_rng(0)), np.empty(0))


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
            found.append(row | measure(bench, measured, numbers))
            if as_json:
                say(json.dumps({key: None if value != value else value for key, value in found[-1].items()}))
        if not as_json:
            say(table(found))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return run_command(app, "python -m benchmarks.gradient", arguments)


if __name__ == "__main__":
    sys.exit(main())

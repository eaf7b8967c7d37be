"""Measures how well the labels of a supernet order trained networks, next to scores that need no training.

python -m benchmarks.supernet --data IMAGES --truth CSV --preset auto --minutes 10 --seeds 3
python -m benchmarks.supernet --data IMAGES --space nasbench_macro --truth CSV --truth-column mean_acc --minutes 10 ...
    ... --set weights=nested --set sampler=sandwich
"""

import csv
import gc
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from pydantic import ValidationError

from benchmarks.intervals import mean_and_interval
from surrogate_nas._processes.local_workers import LocalWorkers
from surrogate_nas._processes.workers import Workers
from surrogate_nas._support.processors import processor_count
from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.costs.budget import parse_budget
from surrogate_nas.data.cache import save_splits
from surrogate_nas.data.images import DataSplits
from surrogate_nas.data.loading import load_images
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.counted.analytic import AnalyticCosts
from surrogate_nas.ranking import kendall_tau, regret, top_tau
from surrogate_nas.report.truth.truth import read_truth
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.study.problem.budget_band import BudgetBand, PricedDraws, draw_in_bands
from surrogate_nas.supernet.ballots import ballot_of
from surrogate_nas.supernet.evaluation import Evaluation, EvaluationJob, evaluate_member
from surrogate_nas.supernet.plan import SupernetPlan, make_plan
from surrogate_nas.supernet.presets import PRESETS
from surrogate_nas.supernet.rules.label_scale import NOBODY
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.supernet.stage import Workplace, train_stage
from surrogate_nas.supernet.training import training_identity
from surrogate_nas.zero_cost.cached import cached_table
from surrogate_nas.zero_cost.settings import ZeroCostSettings

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

Floats = NDArray[np.float64]

TRUTH = "cifar10_test"
PARTS = {"report": 20_201, "choose": 1_812}
"""Seeds of the two disjoint random sets of architectures: settings are chosen on one and reported on the other."""

FIGURES = ("tau", "better_half_tau", "top10_tau", "regret_top1", "regret_top10")
_ALL = "all"
_PILOT_STEPS = (100, 500)
_CODES_PER_JOB = 20
_NEAR = 4000


@dataclass(frozen=True)
class Bench:
    """The parts that all seeds of a run share.

    Attributes:
        space: The search space.
        codes: The architectures to label, shape (L, D).
        truth_percent: Their accuracy after training, shape (L,).
        splits: Images.
        images: Folder of cached images.
        data: How images are augmented.
        validation_images: Held-out images to label with.
        processes: Worker processes.
        near: Architectures that ``in_band`` draws from, codes as tuples.
    """

    space: Space
    codes: Codes
    truth_percent: Floats
    splits: DataSplits
    images: Path
    data: DataSettings
    validation_images: int
    processes: int
    near: tuple[tuple[int, ...], ...] = ()

    def network(self, settings: SupernetSettings) -> NetworkSpec:
        """Sizes of the supernet."""
        classes, stages = len(self.splits.class_names), self.space.network.stages
        return NetworkSpec(
            settings.channels, settings.cells, self.splits.image_size, self.splits.channels, classes, stages
        )


def near_budget(space: Space, budget: str) -> tuple[tuple[int, ...], ...]:
    """Returns architectures between half of a budget on multiply-accumulates and the budget, of all depths."""
    limit = parse_budget("flops", budget).resolve(np.array([np.nan]))
    source = PricedDraws(space, AnalyticCosts(space, space.network).evaluate, "balanced")
    codes = draw_in_bands(source, [BudgetBand([limit], 2.0)], _NEAR, np.random.default_rng(0))
    return tuple(tuple(code) for code in codes.tolist())


def known_truth(space: Space, path: Path, column: str) -> tuple[Codes, Floats]:
    """Returns the architectures with a path from input to output and a known accuracy, shapes (N, D) and (N,).

    Raises:
        TruthError, SpaceError: If the file is none of the space.
        SettingsError: If it has no such column; of a space that cannot be listed it must be CSV.
    """
    if space.listable:
        accuracy = read_truth(path, space, column).accuracy_percent
        known = np.flatnonzero(space.is_connected(space.all_codes()) & np.isfinite(accuracy))
        return space.codes_at(known), accuracy[known]
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"code", column} <= rows[0].keys():
        raise SettingsError(f"--truth must have columns code and {column} (got {path})")
    return np.stack([space.parse(row["code"]) for row in rows]), np.array([float(row[column]) for row in rows])


def chosen_rows(known: int, count: int, part: str) -> NDArray[np.int64]:
    """Returns which of the known architectures are a part: random ones, or all.

    Raises:
        SettingsError: If there are not as many.
    """
    # One order for both parts, so that they cannot share an architecture.
    order = np.random.default_rng(PARTS["report"]).permutation(known)
    if part == _ALL:
        return order
    if not 2 <= count <= known // 2:
        raise SettingsError(f"--labels must be 2 to {known // 2}, half of what there is (got {count})")
    return order[:count] if part == "report" else order[-count:]


def figures(scores: Floats, truth_percent: Floats) -> dict[str, float]:
    """Returns the ranking quality of scores, shape (L,): of all, of the better half and best tenth, and regrets."""
    better = truth_percent >= np.median(truth_percent)
    return {
        "tau": kendall_tau(scores, truth_percent),
        "better_half_tau": kendall_tau(scores[better], truth_percent[better]),
        "top10_tau": top_tau(scores, truth_percent),
        "regret_top1": regret(scores, truth_percent),
        "regret_top10": regret(scores, truth_percent, best_of=10),
    }


def baselines(bench: Bench) -> dict[str, Floats]:
    """Returns scores that need no supernet: counts of the deployed network's kind, and scores before training."""
    deployed = bench.space.network
    effective = bench.space.effective(bench.codes)
    counts = {
        "parameters": bench.space.parameters(bench.codes, deployed),
        "effective parameters": bench.space.parameters(effective, deployed),
        "nonlinear functions": bench.space.nonlinear_count(bench.codes),
    }
    scores = {name: value.astype(np.float64) for name, value in counts.items()}
    return scores | zero_cost_baselines(bench)


def zero_cost_baselines(bench: Bench) -> dict[str, Floats]:
    """Returns scores of networks before training, by name, each of shape (L,); computed once on this machine."""
    table = cached_table(bench.space, ZeroCostSettings())
    return dict(zip(table.names, table.columns(bench.codes).T, strict=True))


def run_seed(bench: Bench, settings: SupernetSettings, seed: int) -> tuple[dict[str, Floats], dict[str, float]]:
    """Trains a supernet and labels the architectures.

    Returns:
        Labels by name, each of shape (L,), higher is better; steps and processor minutes of training and labelling.
    """
    plan = replace(make_plan(bench.space, bench.network(settings), settings, seed), near=bench.near)
    identity = {"space": bench.space.fingerprint, "seed": str(seed)}
    with tempfile.TemporaryDirectory() as folder:
        place = Workplace(Path(folder), bench.images, bench.data, identity)
        gc.collect()  # of what came before, which is not this training's time
        began, used = time.monotonic(), _processor_seconds()
        with LocalWorkers(bench.processes) as workers:
            plan = train_stage(plan, place, workers, _silent, lambda: False)
        # Processor time of children counts once they have ended, so each part has workers of its own.
        trained = _processor_seconds()
        with LocalWorkers(bench.processes) as workers:
            labels = _label(bench, plan, place, workers)
    cost = {
        "train_minutes": (trained - used) / 60,
        "label_minutes": (_processor_seconds() - trained) / 60,
        "wall_minutes": (time.monotonic() - began) / 60,
        "steps": float(sum(training.steps for phase in plan.phases for training in phase)),
    }
    return labels, cost


def _processor_seconds() -> float:
    """Returns the time of this process and of the ended ones that it started; Windows counts none of the latter."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


@contextmanager
def _silent(_title: str) -> Iterator[Callable[[int, int], None]]:
    yield lambda _done, _total: None


def _label(bench: Bench, plan: SupernetPlan, place: Workplace, workers: Workers) -> dict[str, Floats]:
    """Labels all architectures, higher is better; the ones with one effective code are one evaluation."""
    ballot = ballot_of(plan, bench.codes)
    codes, members = ballot.codes, ballot.members
    jobs, places = [], []
    for member in np.setdiff1d(members, NOBODY).tolist():
        mine = np.flatnonzero((members == member).any(axis=(1, 2)))
        for part in np.split(mine, range(_CODES_PER_JOB, len(mine), _CODES_PER_JOB)):
            places.append((part, member))
            jobs.append(
                EvaluationJob(
                    plan,
                    member,
                    tuple(tuple(code) for code in codes[part].tolist()),
                    place.images,
                    bench.validation_images,
                    250,
                    place.folder / plan.training(member).file,
                    training_identity(plan, plan.training(member), place.identity),
                )
            )
    values = np.zeros((2, *members.shape))

    def keep(position: int, result: Evaluation | None) -> None:
        assert result is not None
        part, member = places[position]
        row, *column = np.nonzero(members[part] == member)
        values[0][part[row], *column] = result.accuracy_percent[row]
        values[1][part[row], *column] = result.loss[row]

    workers.run(evaluate_member, jobs, on_result=keep, on_progress=lambda _: None, should_stop=lambda: False)
    rows = ballot.rows(bench.space, bench.codes)
    accuracy, loss = (ballot.labels(each)[rows] for each in values)
    labels = {"minus loss": -loss, "accuracy": accuracy}
    if ballot.both:
        accuracy, loss = (replace(ballot, both=False).labels(each)[rows] for each in values)
        labels |= {"minus loss, own alone": -loss, "accuracy, own alone": accuracy}
    return labels


def steps_for(bench: Bench, settings: SupernetSettings, minutes: float) -> int:
    """Steps of each member that take so many processor minutes in all, by two short trainings on this machine."""
    taken = []
    for steps in _PILOT_STEPS:
        _, cost = run_seed(bench_without_labels(bench), settings.model_copy(update={"steps": steps}), 0)
        taken.append(cost["train_minutes"])
    # What a training takes before its first step is in both.
    most = max(taken[1] - taken[0], taken[1] / 10)  # a disturbed pilot must not make steps cost nothing
    a_step = most / (_PILOT_STEPS[1] - _PILOT_STEPS[0])
    return max(1, round((minutes - taken[0]) / max(a_step, 1e-9)) + _PILOT_STEPS[0])


def bench_without_labels(bench: Bench) -> Bench:
    """Returns the same with two architectures only, for when training is what matters."""
    return replace(bench, codes=bench.codes[:2], truth_percent=bench.truth_percent[:2], validation_images=2)


def summary(runs: Sequence[dict[str, float]]) -> dict[str, float]:
    """Returns the mean of every figure over seeds, with the ends of its interval."""
    result: dict[str, float] = {}
    for name in FIGURES:
        ends = mean_and_interval([run[name] for run in runs])
        result |= dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
    return result


def read_settings(preset: str, changes: Sequence[str], sizes: Mapping[str, float]) -> SupernetSettings:
    """Returns supernet settings of a preset with sizes and single settings, each as ``key=value``.

    Raises:
        SettingsError: If a setting is unknown or its value does not fit.
    """
    given: dict[str, Any] = {"preset": preset, **sizes}
    for change in changes:
        key, separator, value = change.partition("=")
        if not separator:
            raise SettingsError(f"--set needs key=value, such as learning_rate=0.05 (got {change!r})")
        try:
            given[key] = json.loads(value)
        except json.JSONDecodeError:
            given[key] = value
    try:
        return SupernetSettings.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "supernet"
        raise SettingsError(f"{where}: {first['msg']} (got {first['input']!r})") from None


@app.command()
def supernet(
    data: Annotated[Path, typer.Option(help="Folder of images, one folder a class.")],
    truth: Annotated[Path, typer.Option(help="CSV with a column code and one of accuracies in percent.")],
    truth_column: Annotated[str, typer.Option(help="Column of the accuracies.")] = TRUTH,
    preset: Annotated[
        str, typer.Option(help=f"{', '.join(PRESETS)}; or none, for the scores without training.")
    ] = "auto",
    steps: Annotated[int | None, typer.Option(min=1, help="Training steps of each sub-supernet.")] = None,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="Processor minutes to train for, instead.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings; the interval is Student's, 95%, of their mean.")] = 1,
    first_seed: Annotated[int, typer.Option(min=0, help="Seed of the first training.")] = 0,
    labels: Annotated[int, typer.Option(min=2, help="Architectures to label.")] = 1000,
    part: Annotated[
        str, typer.Option(help="Which architectures: report, choose to try settings on, or all that there are.")
    ] = "report",
    validation_images: Annotated[int, typer.Option(min=2, help="Held-out images to label with.")] = 1000,
    channels: Annotated[int, typer.Option(min=1, help="Channels of the supernet's first stage.")] = 8,
    cells: Annotated[int, typer.Option(min=1, help="Cells per stage of the supernet.")] = 1,
    image_size: Annotated[int, typer.Option(min=4, help="Pixels per side.")] = 16,
    shift: Annotated[int, typer.Option(min=0, help="Pixels by which training images are moved at most.")] = 0,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="A supernet setting, such as schedule=complexity.")
    ] = None,
    processes: Annotated[int | None, typer.Option(min=1, help="Worker processes; one a core if not given.")] = None,
    space: Annotated[str, typer.Option(help="Name or path of a space.")] = "nasbench201",
    flops_budget: Annotated[
        str | None, typer.Option(help="Budget, such as 12M, below which --set in_band=SHARE draws subnets.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a row.")] = False,
) -> None:
    """Ranking quality of labels against trained networks, at a stated processor time."""
    if part not in (*PARTS, _ALL):
        raise SettingsError(f"--part must be {', '.join(PARTS)} or {_ALL} (got {part!r})")
    if preset != "none" and (steps is None) == (minutes is None):
        raise SettingsError("give either --steps or --minutes")
    loaded = load_space(space)
    codes, truth_percent = known_truth(loaded, truth, truth_column)
    rows_used = chosen_rows(len(codes), labels, part)
    settings = None
    if preset != "none":
        settings = read_settings(preset, changes or [], {"channels": channels, "cells": cells})
    if settings is not None and settings.in_band and flops_budget is None:
        raise SettingsError("--set in_band needs a budget to draw below; give --flops-budget, such as 12M")
    image_settings = DataSettings(source="folder", path=str(data), image_size=image_size, shift=shift)
    with tempfile.TemporaryDirectory() as folder:
        splits = load_images(image_settings, seed=0)
        save_splits(Path(folder), splits)
        bench = Bench(
            loaded,
            codes[rows_used],
            truth_percent[rows_used],
            splits,
            Path(folder),
            image_settings,
            validation_images,
            processes or processor_count(),
            () if flops_budget is None else near_budget(loaded, flops_budget),
        )
        if settings is None:
            rows = [
                {"labels": name} | figures(scores, bench.truth_percent) for name, scores in baselines(bench).items()
            ]
        else:
            if minutes is not None:
                steps = steps_for(bench, settings, minutes)
            rows = measure(bench, settings.model_copy(update={"steps": steps}), range(first_seed, first_seed + seeds))
    for row in rows:
        row |= {"part": part, "count": len(rows_used), "preset": preset, "set": " ".join(changes or [])}
        say(
            json.dumps({key: None if value != value else value for key, value in row.items()}) if as_json else line(row)
        )


def measure(bench: Bench, settings: SupernetSettings, seeds: Sequence[int]) -> list[dict[str, Any]]:
    """Returns a row for each kind of label, over seeds."""
    runs = [run_seed(bench, settings, seed) for seed in seeds]
    costs = [cost for _, cost in runs]
    cost = {name: float(np.mean([one[name] for one in costs])) for name in costs[0]}
    return [
        {"labels": name, "seeds": len(runs)}
        | summary([figures(labels[name], bench.truth_percent) for labels, _ in runs])
        | cost
        for name in runs[0][0]
    ]


def line(row: dict[str, Any]) -> str:
    """Returns a row as text."""
    text = f"{row['preset']:8} {row['labels']:22}" + "".join(f"  {name} {row[name]:6.3f}" for name in FIGURES)
    if "train_minutes" in row:
        text += f"  tau interval [{row['tau_low']:.3f}, {row['tau_high']:.3f}]" if row["seeds"] > 1 else ""
        text += f"  {row['steps']:,.0f} steps, {row['train_minutes']:.1f} + {row['label_minutes']:.1f} processor min"
    return text


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; gives its exit code."""
    return run_command(app, "python -m benchmarks.supernet", arguments)


if __name__ == "__main__":
    sys.exit(main())

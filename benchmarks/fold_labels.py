"""Measures which labels of few images order architectures: of a probe, of validation images, or cross-validated ones.

python -m benchmarks.fold_labels --data DIR --weights lite0.pth --folder runs/folds --per-class 60 --steps 150

``DIR`` has ``train/`` with a folder per class. For each seed, some images of a few classes are what a study has, and
other images of ``train/`` judge; images of ``test/`` are not read. Truth is the accuracy of each architecture on the
other images after it was fine-tuned by itself on all images of the study. A run that was stopped goes on.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, NamedTuple, cast, get_args

import numpy as np
import torch
import typer
from numpy.typing import NDArray

from benchmarks.intervals import mean_and_interval
from benchmarks.kept import require_same_options
from surrogate_nas._processes.local_workers import LocalWorkers
from surrogate_nas._support.files import write_text
from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.data.cache import save_splits
from surrogate_nas.data.classes.folds import usual_folds, validation_labels
from surrogate_nas.data.decoding.decode import decode
from surrogate_nas.data.image_source import ImageSource
from surrogate_nas.data.images import DataSplits, ImageSet
from surrogate_nas.data.on_disk.room import Room
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.data.sources import open_source
from surrogate_nas.data.splits import split_images
from surrogate_nas.errors import DataError, SettingsError
from surrogate_nas.nets.pretrained.first_weights import FirstWeights
from surrogate_nas.ranking import kendall_tau
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.runs.study_file import read_study
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.pool import Draws, draw
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.supernet.ballots import ballot_of
from surrogate_nas.supernet.evaluation import Evaluation, EvaluationJob, evaluate_member
from surrogate_nas.supernet.plan import SupernetPlan, make_plan
from surrogate_nas.supernet.stage import Workplace, train_stage
from surrogate_nas.supernet.training import FIRST_WEIGHTS, training_identity
from surrogate_nas.training.settings import TrainingSettings
from surrogate_nas.training.train_network import ArchitectureNetwork, NetworkJob, TrainedNetwork, train_network
from surrogate_nas.zero_cost.slice_probe import ProbeJob, ProbeLabels, probe_slices

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
Floats = NDArray[np.float64]
_IDENTITY = {"benchmark": "folds"}
_CODES_PER_JOB, _MOST_PROBED = 8, 2500
_DRAWS = 20_000


class Arm(NamedTuple):
    """A way to label.

    Attributes:
        name: In words.
        replicas: Times that the supernet is trained on each fold.
        folds: Folds of the images.
        steps: Steps of each training.
        others: Whether it is judged on the other images, which no study has.
        probed: Whether a linear probe judges parts of the pretrained weights, in place of a supernet.
    """

    name: str
    replicas: int
    folds: int
    steps: int
    others: bool = False
    probed: bool = False


def arms(steps: int, folds: int) -> list[Arm]:
    """Returns the ways to compare: a probe, ways at the cost of one supernet, and ways that cost as many as folds."""
    return [
        Arm("linear probe of the pretrained weights, all images", 0, 0, 0, probed=True),
        Arm("validation images alone", 1, 1, steps),
        Arm(f"{folds} folds, 1/{folds} of the steps each", 1, folds, max(1, steps // folds)),
        Arm(f"validation images alone, {folds} replicas", folds, 1, steps),
        Arm(f"validation images alone, {folds} times the steps", 1, 1, steps * folds),
        Arm(f"{folds} folds", 1, folds, steps),
        Arm("judged on the other images", 1, 1, steps, others=True),
    ]


@dataclass(frozen=True)
class Bench:
    """Images, architectures and weights that all ways to label share.

    Attributes:
        space: The search space.
        codes: The architectures, effective, shape (A, D).
        settings: The study.
        splits: The images of the study.
        others: Images that judge.
        folder: Of this seed.
        seed: Seed of images and weights.
        first: Pretrained weights.
    """

    space: Space
    codes: Codes
    settings: StudySettings
    splits: DataSplits
    others: ImageSet
    folder: Path
    seed: int
    first: FirstWeights

    @property
    def network(self) -> NetworkSpec:
        """Sizes of all networks."""
        own = self.space.network
        return replace(own, image_size=self.splits.image_size, input_channels=3, classes=len(self.splits.class_names))

    def plan(self, arm: Arm) -> SupernetPlan:
        """Returns the supernets of a way to label."""
        sizes = self.settings.supernet.model_copy(
            update={"replicas": arm.replicas, "steps": arm.steps, "weights_from": self.first.source}
        )
        return replace(make_plan(self.space, self.network, sizes, self.seed), folds=arm.folds)


def divided(data: Path, classes: int, per_class: int, judged: int, side: int, seed: int) -> tuple[DataSplits, ImageSet]:
    """Returns the images of a study, and other images of the same classes.

    Raises:
        DataError: If a class has too few images.
    """
    source = open_source("folder", str(data))
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.permutation(len(source.class_names))[:classes])
    mine, others = [], []
    for label in chosen:
        members = rng.permutation(np.flatnonzero(source.labels == label))
        if len(members) < per_class + judged:
            raise DataError(f"class {source.class_names[label]!r} has {len(members):,} images, fewer than asked for")
        mine.append(members[:per_class])
        others.append(members[per_class : per_class + judged])
    names = tuple(source.class_names[label] for label in chosen)
    own, rest = (_read(source, np.sort(np.concatenate(part)), side, chosen, names) for part in (mine, others))
    splits = split_images(own, validation_fraction=0.4, recalibration_images=200, seed=seed, native_image_size=side)
    return splits, rest


def _read(
    source: ImageSource, positions: NDArray[np.int64], side: int, chosen: NDArray[np.int64], names: tuple[str, ...]
) -> ImageSet:
    decoded = decode(source, positions, image_size=side, channels="rgb", on_unreadable="error", room=Room(4.0))
    labels = np.searchsorted(chosen, source.labels[decoded.kept])
    return ImageSet(decoded.pixels, torch.from_numpy(labels), names)


def drawn(space: Space, network: NetworkSpec, limit: float | None, count: int, draws: Draws = "uniform") -> Codes:
    """Returns effective architectures between half of a number of multiply-accumulates and all of it."""
    codes = np.unique(draw(space, _DRAWS, draws, np.random.default_rng(17)), axis=0)
    codes = np.random.default_rng(17).permutation(codes[space.is_connected(codes)])
    flops = space.flops(codes, network)
    kept = codes if limit is None else codes[(flops <= limit) & (flops >= limit / 2)]
    return np.asarray(kept[:count])


def trained(bench: Bench, epochs: int, processes: int) -> Floats:
    """Returns the accuracy of every architecture after it was fine-tuned by itself, shape (A,)."""
    home = bench.folder / "truth"
    parts = (bench.splits.train, bench.splits.validation, bench.splits.recalibration)
    everything = ImageSet(
        torch.cat([part.images[:] for part in parts]),
        torch.cat([part.labels for part in parts]),
        bench.splits.class_names,
    )
    save_splits(home / "images", replace(bench.splits, train=everything, validation=bench.others))
    bench.first.save(home / FIRST_WEIGHTS)
    recipe = TrainingSettings(
        epochs=epochs, batch_size=32, learning_rate=0.03, layer_decay=0.9, head_share=0.1, label_smoothing=0.1, ema=0.02
    )
    jobs = [
        NetworkJob(
            ArchitectureNetwork(bench.space, tuple(code), bench.network, home / FIRST_WEIGHTS, bench.first.digest),
            home / "images",
            True,
            max(1, bench.splits.image_size // 8),
            recipe,
            bench.seed,
            home / f"{place}.safetensors",
        )
        for place, code in enumerate(bench.codes.tolist())
    ]
    found = np.empty(len(jobs))

    def keep(position: int, result: TrainedNetwork | None) -> None:
        assert result is not None
        found[position] = result.accuracy_percent
        jobs[position].checkpoint.unlink()

    with LocalWorkers(processes) as workers:
        workers.run(train_network, jobs, on_result=keep, on_progress=lambda _: None, should_stop=lambda: False)
    return found


@contextmanager
def _quiet(_title: str) -> Iterator[Callable[[int, int], None]]:
    yield lambda _done, _total: None


def probed(bench: Bench, processes: int) -> tuple[Floats, Floats]:
    """Returns accuracy and minus the squared error of every architecture by a linear probe, shape (A,) each."""
    bench.first.save(bench.folder / FIRST_WEIGHTS)
    first, images = bench.folder / FIRST_WEIGHTS, bench.folder / "images"
    jobs = [
        ProbeJob(bench.space, (tuple(code),), bench.network, first, images, _MOST_PROBED, 250)
        for code in bench.codes.tolist()
    ]
    found = np.empty((2, len(jobs)))

    def keep(position: int, result: ProbeLabels | None) -> None:
        assert result is not None
        found[:, position] = result.accuracy_percent[0], -result.loss[0]

    with LocalWorkers(processes) as workers:
        workers.run(probe_slices, jobs, on_result=keep, on_progress=lambda _: None, should_stop=lambda: False)
    return found[0], found[1]


def labelled(bench: Bench, arm: Arm, processes: int) -> tuple[Floats, Floats]:
    """Returns accuracy and minus the loss of every architecture by a way to label, shape (A,) each."""
    if arm.probed:
        return probed(bench, processes)
    images, home = bench.folder / "images", bench.folder / f"{arm.replicas}-{arm.folds}-{arm.steps}"
    home.mkdir(exist_ok=True)
    bench.first.save(home / FIRST_WEIGHTS)
    plan, data = bench.plan(arm), DataSettings(source="cifar10")
    judging = bench.folder / "others" if arm.others else images
    with LocalWorkers(processes) as workers:
        plan = train_stage(plan, Workplace(home, images, data, _IDENTITY), workers, _quiet, lambda: False)
        ballot = ballot_of(plan, bench.codes)
        found = np.empty((2, *ballot.members.shape))
        jobs = [
            EvaluationJob(
                plan,
                member,
                tuple(map(tuple, ballot.codes[start : start + _CODES_PER_JOB].tolist())),
                judging,
                len(bench.others),
                250,
                home / plan.training(member).file,
                training_identity(plan, plan.training(member), _IDENTITY),
            )
            for member in range(plan.members)
            for start in range(0, len(ballot.codes), _CODES_PER_JOB)
        ]

        def keep(position: int, result: Evaluation | None) -> None:
            assert result is not None
            job, rows = jobs[position], {code: row for row, code in enumerate(map(tuple, ballot.codes.tolist()))}
            mine = [rows[code] for code in job.codes]
            found[:, mine, job.member, 0] = result.accuracy_percent, -result.loss

        workers.run(evaluate_member, jobs, on_result=keep, on_progress=lambda _: None, should_stop=lambda: False)
    counts = [float(len(one)) for one in validation_labels(bench.splits, arm.folds)]
    accuracy, score = (ballot.labels(values, np.tile(counts, arm.replicas)) for values in found)
    rows = ballot.rows(bench.space, bench.codes)
    return accuracy[rows], score[rows]


def table(ways: Sequence[Arm], taus: NDArray[np.float64], counted: NDArray[np.float64]) -> str:
    """Returns Markdown of tau.

    Args:
        ways: The ways to label.
        taus: By accuracy and by loss, shape (seeds, ways, 2).
        counted: Of parameters and multiply-accumulates, which cost nothing, shape (seeds, 2).
    """
    rows = ["| labels | steps in all | tau by loss | tau by accuracy |", "| --- | ---: | --- | --- |"]
    for arm, of_arm in zip(ways, taus.transpose(1, 2, 0), strict=True):
        cells = [_cell(of_arm[column].tolist()) for column in (1, 0)]
        rows.append(f"| {arm.name} | {arm.replicas * arm.folds * arm.steps} | {' | '.join(cells)} |")
    for name, of_seeds in zip(("parameters", "multiply-accumulates"), counted.T, strict=True):
        rows.append(f"| the number of {name} alone | 0 | {_cell(of_seeds.tolist())} | |")
    return "\n".join(rows)


def _cell(values: list[float]) -> str:
    mean, low, high = mean_and_interval(values)
    return f"{mean:.3f} ({low:.3f} to {high:.3f})" if len(values) > 1 else f"{mean:.3f}"


@app.command()
def run(
    data: Annotated[Path, typer.Option(help="Folder of images with train/.")],
    weights: Annotated[str, typer.Option(help="Weights of the whole network: a file, or timm:NAME.")],
    folder: Annotated[Path, typer.Option(help="Where everything is kept.")],
    study: Annotated[str, typer.Option(help="The study whose supernet is trained.")] = "pretrained",
    classes: Annotated[int, typer.Option(min=2, help="Classes, drawn by the seed.")] = 4,
    per_class: Annotated[int, typer.Option(min=10, help="Images of each class that the study has.")] = 60,
    judged: Annotated[int, typer.Option(min=2, help="Other images of each class.")] = 500,
    side: Annotated[int, typer.Option(min=16, help="Pixels of a side.")] = 64,
    steps: Annotated[int, typer.Option(min=3, help="Steps of a supernet.")] = 150,
    count: Annotated[int, typer.Option(min=10, help="Architectures.")] = 40,
    limit: Annotated[float | None, typer.Option("--flops-budget", help="Most multiply-accumulates.")] = None,
    draws: Annotated[str, typer.Option(help="Kind of architectures: uniform, balanced or varied.")] = "varied",
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of the trainings that are the truth.")] = 10,
    seeds: Annotated[int, typer.Option(min=1, help="Draws of classes, images and weights.")] = 1,
    processes: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 1,
) -> None:
    """Labels in each way, trains the truth, and prints the table."""
    if draws not in get_args(Draws):
        raise SettingsError(f"--draws must be one of {', '.join(get_args(Draws))} (got {draws!r})")
    kind, settings = cast(Draws, draws), read_study(study, {})
    options: dict[str, object] = {"data": str(data.resolve()), "weights": weights, "study": study, "classes": classes}
    options |= {"per-class": per_class, "judged": judged, "side": side, "steps": steps, "count": count}
    require_same_options(folder / "options.json", options | {"budget": limit, "draws": draws, "epochs": epochs})
    space = load_space(settings.space)
    first = FirstWeights.read(space, weights)
    taus, counted, ways = [], [], arms(steps, 3)
    for seed in range(seeds):
        home = folder / f"{seed}"
        splits, others = divided(data, classes, per_class, judged, side, seed)
        ways = arms(steps, usual_folds(splits))
        save_splits(home / "images", splits)
        save_splits(home / "others", replace(splits, validation=others))
        sizes = replace(space.network, image_size=side)
        bench = Bench(space, drawn(space, sizes, limit, count, kind), settings, splits, others, home, seed, first)
        kept = home / "truth.json"
        if not kept.exists():
            write_text(kept, json.dumps(trained(bench, epochs, processes).tolist()))
        truth = np.array(json.loads(kept.read_text(encoding="utf-8")))
        counts = (space.parameters(bench.codes, bench.network), space.flops(bench.codes, bench.network))
        counted.append([kendall_tau(values.astype(np.float64), truth) for values in counts])
        of_seed = []
        for arm in ways:
            of_seed.append([kendall_tau(values, truth) for values in labelled(bench, arm, processes)])
            say(f"seed {seed}, {arm.name}: tau {of_seed[-1][1]:.3f} by loss, {of_seed[-1][0]:.3f} by accuracy")
        taus.append(of_seed)
    trained_to = f"{truth.min():.1f} to {truth.max():.1f}% after training"
    say(f"\n{classes} classes of {per_class} images, {count} architectures of {trained_to}\n")
    say(table(ways, np.array(taus), np.array(counted)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; gives its exit code."""
    return run_command(app, "python -m benchmarks.fold_labels", arguments)


if __name__ == "__main__":
    sys.exit(main())

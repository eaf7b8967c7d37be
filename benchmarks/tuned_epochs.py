"""Chooses how long `train` fine-tunes pretrained weights: accuracy on validation images after trainings of lengths.

python -m benchmarks.tuned_epochs --data DIR --weights lite0.pth --images 1000 --epochs 30 --epochs 100

``DIR`` has ``train/`` with a folder per class, and more images than are trained on: the validation images are others of
them. Images of ``test/`` are not read. Every training begins with the same slice of the pretrained weights and has the
recipe of `train`, of which the length is set; augmentation follows from it. A length that was trained before is read.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from surrogate_nas._processes.local_workers import LocalWorkers
from surrogate_nas._support.files import write_text
from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.data.cache import load_splits, save_splits
from surrogate_nas.data.decoding.decode import decode
from surrogate_nas.data.final_images import FinalImages
from surrogate_nas.data.images import DataSplits, ImageSet, channel_statistics
from surrogate_nas.data.on_disk.room import Room
from surrogate_nas.data.sources import open_source
from surrogate_nas.data.splits import stratified_subset
from surrogate_nas.errors import DataError
from surrogate_nas.nets.pretrained.first_weights import FirstWeights
from surrogate_nas.space.load import load_space
from surrogate_nas.training.final import FinalJob, train_final
from surrogate_nas.training.recipes import final_recipe
from surrogate_nas.training.settings import FinalSettings
from surrogate_nas.training.train_network import ArchitectureNetwork

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
_DATA_SEED = 0


@dataclass(frozen=True)
class LengthJob:
    """One training, for a worker process.

    Attributes:
        network: What is trained.
        images: Folder of the images; its validation part judges.
        epochs: Passes over the images.
        seed: Seed of classifier and order.
        checkpoint: File of the checkpoint.
    """

    network: ArchitectureNetwork
    images: Path
    epochs: int
    seed: int
    checkpoint: Path


@dataclass(frozen=True)
class Tuned:
    """Result of a training.

    Attributes:
        accuracy_percent: On the validation images.
        minutes: Processor time.
    """

    accuracy_percent: float
    minutes: float


def divided(data: Path, images: int, validation: int, side: int) -> DataSplits:
    """Returns training images, as many of each class, and other images of ``train/`` to validate on.

    Raises:
        DataError: If there are too few images.
    """
    source = open_source("folder", str(data))
    if images + validation > len(source):
        raise DataError(f"{data} has {len(source):,} images, fewer than {images:,} to train on and {validation:,} more")
    # The choice of a class begins with the same images for any number, so that a smaller one is a part of a larger.
    chosen = stratified_subset(source.labels, images + validation, source.class_names, _DATA_SEED)
    trained = stratified_subset(source.labels, images, source.class_names, _DATA_SEED)
    parts = []
    for positions in (trained, np.setdiff1d(chosen, trained)):
        decoded = decode(source, positions, image_size=side, channels="rgb", on_unreadable="error", room=Room(4.0))
        labels = torch.from_numpy(source.labels[decoded.kept])
        parts.append(ImageSet(decoded.pixels, labels, source.class_names))
    train, others = parts
    mean, std = channel_statistics(train.images)
    return DataSplits(train, others, train.take(torch.arange(1)), mean, std, side, train.fingerprint())


def tune(job: LengthJob, report: Callable[[int], None], stopped: Callable[[], bool]) -> Tuned | None:
    """Fine-tunes by the recipe of `train`, and judges on the validation images."""
    torch.set_num_threads(1)
    began, splits = time.process_time(), load_splits(job.images)
    images = FinalImages.of(splits.train, splits.validation, "own", ())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(job.seed)
        network = job.network.build()
    given = FinalSettings(epochs=job.epochs, precision="float32")
    recipe = final_recipe(
        flip=True, images=len(images.train), image_size=images.train.image_size, given=given, tuned=True
    )
    final = FinalJob(network, images, recipe, job.seed, job.checkpoint, {}, torch.device("cpu"))
    trained = train_final(final, lambda done, _: report(done), stopped)
    return None if trained is None else Tuned(trained.accuracy_percent, (time.process_time() - began) / 60)


def table(found: dict[int, list[Tuned]]) -> str:
    """Returns Markdown: the mean of the seeds' accuracies and minutes for every number of epochs."""
    rows = ["| epochs | validation accuracy | processor minutes |", "| ---: | ---: | ---: |"]
    for epochs, results in sorted(found.items()):
        accuracy, minutes = (
            np.mean([getattr(one, name) for one in results]) for name in ("accuracy_percent", "minutes")
        )
        rows.append(f"| {epochs} | {accuracy:.1f} | {minutes:.1f} |")
    return "\n".join(rows)


@app.command()
def run(
    data: Annotated[Path, typer.Option(help="Folder of images with train/.")],
    weights: Annotated[str, typer.Option(help="Weights of the whole network: a file, or timm:NAME.")],
    folder: Annotated[Path, typer.Option(help="Where everything is kept.")],
    space_name: Annotated[str, typer.Option("--space", help="A space with a known network.")] = "efficientnet_lite0",
    arch: Annotated[str | None, typer.Option(help="Digits of the architecture; the largest if not set.")] = None,
    images: Annotated[int, typer.Option(min=30, help="Images to train on.")] = 1000,
    validation: Annotated[int, typer.Option(min=30, help="Images to validate on.")] = 2000,
    side: Annotated[int, typer.Option(min=16, help="Pixels of a side.")] = 64,
    epochs: Annotated[list[int] | None, typer.Option(min=1, help="Passes over the images; may be repeated.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each length.")] = 1,
    processes: Annotated[int, typer.Option(min=1, help="Trainings side by side.")] = 1,
) -> None:
    """Trains for each length, and prints a table."""
    folder.mkdir(parents=True, exist_ok=True)
    space = load_space(space_name)
    code = space.largest() if arch is None and hasattr(space, "largest") else space.parse(arch or "")
    splits = divided(data, images, validation, side)
    save_splits(folder / "images", splits)
    first = FirstWeights.read(space, weights)
    first.save(folder / "first.safetensors")
    sizes = replace(space.network, image_size=side, input_channels=3, classes=len(splits.class_names))
    effective = tuple(space.effective([code])[0].tolist())
    network = ArchitectureNetwork(space, effective, sizes, folder / "first.safetensors", first.digest)
    kept = folder / "tuned.json"
    known: dict[str, list[float]] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    asked = [(length, seed) for seed in range(seeds) for length in epochs or [30, 60, 120]]
    name = f"{''.join(map(str, effective))}-{images}-{side}"
    jobs = [
        LengthJob(network, folder / "images", length, seed, folder / f"{name}-{length}-{seed}.safetensors")
        for length, seed in asked
        if f"{name}-{length}-{seed}" not in known
    ]

    def keep(position: int, result: Tuned | None) -> None:
        assert result is not None
        job = jobs[position]
        known[f"{name}-{job.epochs}-{job.seed}"] = [result.accuracy_percent, result.minutes]
        write_text(kept, json.dumps(known, indent=1))
        say(f"{job.epochs} epochs, seed {job.seed}: {result.accuracy_percent:.2f}%, {result.minutes:.1f} minutes")

    with LocalWorkers(processes) as workers:
        workers.run(tune, jobs, on_result=keep, on_progress=lambda _: None, should_stop=lambda: False)
    found: dict[int, list[Tuned]] = {}
    for length, seed in asked:
        found.setdefault(length, []).append(Tuned(*known[f"{name}-{length}-{seed}"]))
    say(f"\n{images:,} images of {side} pixels, {validation:,} to validate on, {space.format(effective)}\n")
    say(table(found))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; gives its exit code."""
    return run_command(app, "python -m benchmarks.tuned_epochs", arguments)


if __name__ == "__main__":
    sys.exit(main())

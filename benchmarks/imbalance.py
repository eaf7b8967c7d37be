"""Balanced accuracy of a network that was trained on classes of unequal size: as they are, by draws and by weights.

python -m benchmarks.imbalance --data FOLDER
python -m benchmarks.imbalance --data FOLDER --largest 5000 --epochs 100

The folder has ``train/`` and ``test/`` with a sub-folder per class, such as CIFAR-10. Sizes of classes fall
geometrically from the largest to the smallest (arXiv 1901.05555); the seed draws which class is of which size, the
images, the first weights and the order. Every network is trained by the recipe of final trainings.
"""

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
import typer
from numpy.typing import NDArray

from benchmarks.intervals import mean_and_interval
from surrogate_nas._processes.local_workers import LocalWorkers
from surrogate_nas._support.processors import processor_count
from surrogate_nas._support.words import count_of
from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.data.cache import load_splits, save_splits
from surrogate_nas.data.decoding.decode import decode
from surrogate_nas.data.final_images import FinalImages
from surrogate_nas.data.image_source import ImageSource
from surrogate_nas.data.images import DataSplits, ImageSet, channel_statistics
from surrogate_nas.data.on_disk.room import Room
from surrogate_nas.data.sources import open_source, open_test_source
from surrogate_nas.deploy.confusion import confusion_of, recalls
from surrogate_nas.errors import DataError
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.training.final import FinalJob, train_final
from surrogate_nas.training.recipes import final_recipe
from surrogate_nas.training.settings import FinalSettings

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
_ARCHITECTURE = "333123"  # of nasbench201
_SIDE, _CHANNELS = 32, 8
_ENDS = 3  # classes that are called the largest and the smallest
_BATCH = 500
Figures = NDArray[np.float64]
Balance = Literal["weights"] | bool
WAYS: dict[Balance, str] = {False: "as they are", True: "balanced draws", "weights": "weights in the loss"}
"""Values of ``training.balance`` that are compared, in words."""


def sizes_of(largest: int, ratio: float, classes: int) -> NDArray[np.int64]:
    """Returns the sizes of classes, which fall geometrically from ``largest`` to ``largest / ratio``."""
    return np.round(largest * ratio ** -np.linspace(0, 1, classes)).astype(np.int64)


@dataclass(frozen=True)
class UnevenJob:
    """One training, for a worker process.

    Attributes:
        images: Folder of the images, of which the validation part is the test.
        checkpoint: File of the checkpoint.
        epochs: Passes over the images.
        seed: Seed of weights and order.
        balance: Whether and how classes count the same.
    """

    images: Path
    checkpoint: Path
    epochs: int
    seed: int
    balance: Balance


def uneven_images(data: Path, sizes: NDArray[np.int64], seed: int) -> DataSplits:
    """Returns images of a folder, of class k as many as the sizes say after they were shuffled by the seed.

    Raises:
        DataError: If the folder has no test part, or a class has too few images.
    """
    train = open_source("folder", str(data))
    test = open_test_source("folder", str(data), train.class_names)
    if test is None:
        raise DataError(f"{data} has no test folder next to train")
    rng = np.random.default_rng(seed)
    drawn = []
    for label, size in enumerate(rng.permutation(sizes)):
        members = np.flatnonzero(train.labels == label)
        if len(members) < size:
            raise DataError(f"class {train.class_names[label]!r} has {len(members):,} images, fewer than {size:,}")
        drawn.append(rng.permutation(members)[:size])
    chosen = _read(train, np.sort(np.concatenate(drawn)))
    held_out = _read(test, np.arange(len(test)))
    mean, std = channel_statistics(chosen.images)
    return DataSplits(chosen, held_out, chosen.take(torch.arange(1)), mean, std, _SIDE, "0" * 16)


def _read(source: ImageSource, chosen: NDArray[np.int64]) -> ImageSet:
    decoded = decode(source, chosen, image_size=_SIDE, channels="rgb", on_unreadable="error", room=Room(4.0))
    labels = torch.from_numpy(source.labels[decoded.kept])
    return ImageSet(torch.from_numpy(decoded.images), labels, source.class_names)


def recalls_of(job: UnevenJob, report: Callable[[int], None], stopped: Callable[[], bool]) -> Figures | None:
    """Trains a network and returns its accuracy in percent on the test images of each class, shape (K,)."""
    torch.set_num_threads(1)
    splits = load_splits(job.images)
    images = FinalImages.of(splits.train, splits.validation, "own", ())
    space = load_space("nasbench201")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(job.seed)
        spec = NetworkSpec(_CHANNELS, 1, _SIDE, 3, len(splits.class_names))
        network = build_network(space, space.parse(_ARCHITECTURE).tolist(), spec)
    given = FinalSettings(epochs=job.epochs, balance=job.balance, precision="float32")
    recipe = final_recipe(flip=True, images=len(images.train), image_size=_SIDE, given=given)
    images = replace(images, balance=bool(job.balance), weighted=job.balance == "weights")
    final = FinalJob(network, images, recipe, job.seed, job.checkpoint, {}, torch.device("cpu"))
    trained = train_final(final, lambda done, _: report(done), stopped)
    if trained is None:
        return None
    with torch.inference_mode():
        parts = [trained.network(images.normalise(one)).argmax(dim=1) for one, _ in images.test.in_order(_BATCH)]
    confusion = confusion_of(images.test.labels.numpy(), torch.cat(parts).numpy(), splits.class_names)
    found = recalls(confusion)
    return np.array([found[name].percent for name in splits.class_names])


def figures(recall: Figures, sizes: NDArray[np.int64]) -> tuple[float, float, float]:
    """Returns balanced accuracy and mean recall of the largest and of the smallest classes, from arrays (K,)."""
    by_size = recall[np.argsort(-sizes, kind="stable")]
    return float(recall.mean()), float(by_size[:_ENDS].mean()), float(by_size[-_ENDS:].mean())


def table(found: Mapping[Balance, Figures]) -> str:
    """Returns Markdown of the figures of all seeds, shape (seeds, 3) each, and of their differences from the first."""
    rows = [
        f"| classes | balanced accuracy | {_ENDS} largest classes | {_ENDS} smallest classes |",
        "| --- | --- | --- | --- |",
    ]
    named = [(WAYS[way], values, "") for way, values in found.items()]
    _, plain, _ = named[0]
    for name, values, sign in (
        *named,
        *((f"{name}, difference", values - plain, "+") for name, values, _ in named[1:]),
    ):
        rows.append(f"| {name} | {' | '.join(_cell(column.tolist(), sign) for column in values.T)} |")
    return "\n".join(rows)


def _cell(values: list[float], sign: str) -> str:
    mean, low, high = mean_and_interval(values)
    between = f" ({low:{sign}.1f} to {high:{sign}.1f})" if len(values) > 1 else ""
    return f"{mean:{sign}.1f}{between}"


def train_all(parts: Sequence[DataSplits], epochs: int, processes: int, folder: Path) -> dict[Balance, Figures]:
    """Returns figures of a training on each seed's images in each way, shape (seeds, 3)."""
    jobs = []
    for seed, splits in enumerate(parts):
        save_splits(folder / f"{seed}", splits)
        for way in WAYS:
            checkpoint = folder / f"{seed}-{way}.safetensors"
            jobs.append(UnevenJob(folder / f"{seed}", checkpoint, epochs, seed, way))
    found: dict[Balance, Figures] = {way: np.empty((len(parts), 3)) for way in WAYS}

    def keep(position: int, recall: Figures | None) -> None:
        assert recall is not None
        job = jobs[position]
        sizes = parts[job.seed].train.labels.bincount(minlength=len(recall)).numpy()
        found[job.balance][job.seed] = figures(recall, sizes)
        say(f"seed {job.seed}, {WAYS[job.balance]}: {recall.mean():.2f}%")

    with LocalWorkers(processes) as workers:
        workers.run(recalls_of, jobs, on_result=keep, on_progress=lambda _: None, should_stop=lambda: False)
    return found


@app.command()
def run(
    data: Annotated[Path, typer.Option(help="Folder of images with train/ and test/.")],
    largest: Annotated[int, typer.Option(min=10, help="Images of the largest class.")] = 500,
    ratio: Annotated[float, typer.Option(min=1, help="Times as many images as the smallest class has.")] = 20,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the images.")] = 40,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each kind; intervals are Student's, 95%.")] = 3,
    processes: Annotated[int | None, typer.Option(min=1, help="Worker processes; one a core if not set.")] = None,
) -> None:
    """Trains one network on uneven classes in each way; some fifteen minutes on two cores."""
    sizes = sizes_of(largest, ratio, len(open_source("folder", str(data)).class_names))
    parts = [uneven_images(data, sizes, seed) for seed in range(seeds)]
    with tempfile.TemporaryDirectory() as folder:
        found = train_all(parts, epochs, processes or processor_count(), Path(folder))
    listed = ", ".join(f"{size:,}" for size in sizes)
    say(f"\nClasses of {listed} images, {count_of(epochs, 'epoch')}, {count_of(seeds, 'seed')}\n")
    say(table(found))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; gives its exit code."""
    return run_command(app, "python -m benchmarks.imbalance", arguments)


if __name__ == "__main__":
    sys.exit(main())

"""Measures memory and time of a study's images that memory should not hold: reading them, and steps of a supernet.

python -m benchmarks.many_images --folder runs/many --images 200000 --side 160

JPEG files of noise are made first, unless the folder has them. Each row of the table is a process of its own. The last
two rows train on the same few images, in memory and from the disk.
"""

import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image

from benchmarks.peak_memory import peak_memory_mb
from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.data.cache import load_splits, save_splits
from surrogate_nas.data.loading import load_images
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.space.load import load_space
from surrogate_nas.supernet.plan import SupernetPlan, make_plan
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.supernet.training import TrainingJob, train_member

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
_CLASSES = 10
_BORDER = 1.25  # sides of files are so much longer than what is decoded
_SPACE = "images224"


@dataclass(frozen=True)
class Row:
    """Work of a process, with its time and memory.

    Attributes:
        title: In words.
        seconds: By the clock.
        done: Images read or steps trained.
        peak_mb: Most resident memory of the process, in 10^6 bytes.
    """

    title: str
    seconds: float
    done: int
    peak_mb: float


def make_images(folder: Path, count: int, side: int) -> None:
    """Writes JPEG files of smooth noise, equally many of each class, where they are missing."""

    def make(index: int) -> None:
        path = folder / f"class{index % _CLASSES}" / f"{index:07}.jpg"
        if not path.exists():
            pixels = np.random.default_rng(index).integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).resize((round(side * _BORDER), side)).save(path, quality=85)

    for one in range(_CLASSES):
        (folder / f"class{one}").mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor() as threads:
        for _ in threads.map(make, range(count), chunksize=64):
            pass


def read(settings: DataSettings, folder: Path) -> Row:
    """Reads the images, divides them, and writes the parts."""
    begun = time.monotonic()
    splits = load_images(settings, 0, folder=folder)
    save_splits(folder, splits)
    count = len(splits.train) + len(splits.validation) + len(splits.recalibration)
    return Row(f"read {count:,} images", time.monotonic() - begun, count, peak_memory_mb())


def train(folder: Path, plan: SupernetPlan, title: str) -> Row:
    """Trains a supernet on what ``read`` wrote."""
    job = TrainingJob(plan, plan.phases[0][0], folder, DataSettings(), folder / "supernet", {})
    for old in (folder / "supernet").glob("*"):
        old.unlink()
    (folder / "supernet").mkdir(exist_ok=True)
    load_splits(folder)  # with checksums, as a study begins
    begun = time.monotonic()
    train_member(job, lambda _: None, lambda: False)
    return Row(title, time.monotonic() - begun, plan.settings.steps, peak_memory_mb())


def _alone(work: Callable[..., Row], *arguments: object) -> Row:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(work, *arguments).result()


def table(rows: Sequence[Row]) -> str:
    """Returns the rows as a Markdown table."""
    lines = ["| work | seconds | a second | peak of memory (MB) |", "| --- | ---: | ---: | ---: |"]
    lines += [
        f"| {row.title} | {row.seconds:.0f} | {row.done / row.seconds:,.2f} | {row.peak_mb:,.0f} |" for row in rows
    ]
    return "\n".join(lines)


@app.command(name="many_images")
def measure(
    folder: Annotated[Path, typer.Option(help="Where images and parts are kept.")],
    images: Annotated[int, typer.Option(min=100, help="Images.")] = 200_000,
    side: Annotated[int, typer.Option(min=32, help="Side of decoded images, in pixels.")] = 160,
    steps: Annotated[int, typer.Option(min=1, help="Steps of the supernet.")] = 50,
    compared: Annotated[int, typer.Option(min=100, help="Images of the last two rows.")] = 5000,
    memory_gb: Annotated[float, typer.Option(help="More images stay on the disk, in 10^9 bytes.")] = 4.0,
) -> None:
    """Makes the images, and prints the table."""
    make_images(folder / "images", images, side)
    settings = DataSettings(source="folder", path=str(folder / "images"), image_size=side, memory_gb=memory_gb)
    space = load_space(_SPACE)
    supernet = SupernetSettings(channels=8, batch_size=32, steps=steps)
    plan = make_plan(space, replace(space.network, image_size=side), supernet, seed=0)
    whole = folder / "whole"
    rows = [_alone(read, settings, whole), _alone(train, whole, plan, f"{steps} steps on all of them")]
    for place, limit in (("memory", 1e3), ("disk", 1e-6)):
        part = settings.model_copy(update={"max_images": compared, "memory_gb": limit})
        _alone(read, part, folder / place)
        title = f"{steps} steps on {compared:,} images, from the {place}"
        rows.append(_alone(train, folder / place, plan, title))
    say(table(rows))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; gives its exit code."""
    return run_command(app, "python -m benchmarks.many_images", arguments)


if __name__ == "__main__":
    sys.exit(main())

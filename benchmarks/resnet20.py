"""ResNet-20 on CIFAR-10 by the recipe of final trainings, beside the accuracy that its paper has.

python -m benchmarks.resnet20 --data FOLDER --epochs 160
python -m benchmarks.resnet20 --data FOLDER --epochs 1 --images 5000

The folder has ``train/`` and ``test/`` with a sub-folder per class. The same command continues after a stop. Table 6 of
the paper, arXiv 1512.03385, has 91.25% for ResNet-20, after 64,000 steps of 128 images. This one is the rival of that
name, whose shortcuts are 1x1 convolutions where the shape changes: 1% more weights than the paper's.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from surrogate_nas._support.files import read_json, write_json
from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.data.final_images import FinalImages, load_final_images
from surrogate_nas.data.folders.image_folder import open_folder
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.deploy.accuracy import Accuracy
from surrogate_nas.deploy.train.train_request import TrainSettings
from surrogate_nas.errors import Interrupted
from surrogate_nas.rivals.rival import Interface
from surrogate_nas.rivals.rival_network import RivalNetwork
from surrogate_nas.runs.compute import resolve_compute
from surrogate_nas.runs.interrupts import stop_on_interrupt
from surrogate_nas.runs.settings import ComputeSettings
from surrogate_nas.runs.study_file import parse_assignments, validated
from surrogate_nas.training.data_parallel import own_threads
from surrogate_nas.training.final import FinalJob, train_final
from surrogate_nas.training.recipes import Recipe, final_recipe

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
PAPER_PERCENT, PAPER_EPOCHS, ALL_IMAGES = 91.25, 160, 50_000
_SIDE = 32
_TIMES = ("seconds", "processor_seconds")


def load(folder: Path, count: int, seed: int) -> FinalImages:
    """Returns the images of a folder, of which ``count`` are drawn to train on."""
    names = open_folder(folder).class_names
    settings = DataSettings(source="folder", path=str(folder))
    images = load_final_images(settings, seed, image_size=_SIDE, channels=3, class_names=names)
    drawn = torch.randperm(len(images.train), generator=torch.Generator().manual_seed(seed))[:count]
    return replace(images, train=images.train.take(drawn))


class Clock:
    """Counts the time of training over all stops, in a file, and says after every epoch what is left."""

    def __init__(self, path: Path, epochs: int) -> None:
        self._path, self._epochs = path, epochs
        before: dict[str, Any] = read_json(path, "times of this training") if path.exists() else {}
        self.seconds, self.processor_seconds = (float(before.get(name, 0)) for name in _TIMES)
        self._now = (time.monotonic(), time.process_time())

    def keep(self) -> None:
        """Adds the time since the last call and writes the file."""
        now = (time.monotonic(), time.process_time())
        self.seconds += now[0] - self._now[0]
        self.processor_seconds += now[1] - self._now[1]
        self._now = now
        write_json(self._path, dict(zip(_TIMES, (self.seconds, self.processor_seconds), strict=True)))

    def epoch(self, number: int, loss: float) -> None:
        """Prints a line about an epoch that is done, counted from 1."""
        self.keep()
        left = self.seconds / number * (self._epochs - number) / 3600
        say(
            f"epoch {number} of {self._epochs}: loss {loss:.3f}, {self.processor_seconds / 60:.1f} processor minutes,"
            f" {left:.2f} hours left"
        )


def summary(accuracy: Accuracy, recipe: Recipe, images: int, clock: Clock) -> str:
    """Returns the result beside the paper's, and what it took."""
    lines = [f"test accuracy {accuracy}; the paper has {PAPER_PERCENT}%"]
    if images < ALL_IMAGES or recipe.settings.epochs < PAPER_EPOCHS:
        times = ALL_IMAGES * PAPER_EPOCHS / (images * recipe.settings.epochs)
        lines.append(
            f"{PAPER_EPOCHS} epochs of {ALL_IMAGES:,} images would take {times * clock.seconds / 3600:.1f} hours,"
            f" {times * clock.processor_seconds / 3600:.1f} processor hours"
        )
    elif accuracy.low <= PAPER_PERCENT:
        reached = accuracy.high >= PAPER_PERCENT
        lines.append(f"the paper's accuracy is {'within' if reached else 'ABOVE'} the interval")
    else:
        lines.append("the paper's accuracy is below the interval")
    return "\n".join([*lines, f"{clock.processor_seconds / 60:.1f} processor minutes; {recipe.words()}"])


@app.command()
def run(
    data: Annotated[Path, typer.Option(help="Folder of CIFAR-10 with train/ and test/.")],
    epochs: Annotated[int, typer.Option(min=1, max=10_000, help="Passes over the images.")] = PAPER_EPOCHS,
    images: Annotated[int, typer.Option(min=100, max=ALL_IMAGES, help="Images to train on.")] = ALL_IMAGES,
    seed: Annotated[int, typer.Option(min=0, help="Seed.")] = 0,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; one per processor if not set.")] = None,
    compute: Annotated[str, typer.Option("--compute-device", help="Device that trains: auto, cpu or cuda.")] = "cpu",
    folder: Annotated[Path, typer.Option(help="Folder of the checkpoint.")] = Path("runs/resnet20"),
    settings: Annotated[list[str] | None, typer.Option("--set", help="Setting of the recipe; repeatable.")] = None,
) -> None:
    """Trains ResNet-20; about three hours on two cores with bfloat16."""
    torch.set_num_threads(threads or own_threads(_SIDE))
    overrides = {"training.epochs": epochs} | parse_assignments(settings or [])
    given = validated(TrainSettings, {}, overrides, "on the command line").training
    loaded = load(data, images, seed)
    recipe = final_recipe(flip=True, images=len(loaded.train), image_size=_SIDE, given=given)
    say(f"recipe: {recipe.words()}")
    folder.mkdir(parents=True, exist_ok=True)
    clock = Clock(folder / "times.json", epochs)
    rival = RivalNetwork("resnet20", 1.0, Interface(3, _SIDE, len(loaded.train.class_names)))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = rival.build()
    checkpoint = folder / "training.safetensors"
    device = torch.device(resolve_compute(ComputeSettings(device=compute)).device)
    job = FinalJob(network, loaded, recipe, seed, checkpoint, rival.identity, device, record=clock.epoch)
    with stop_on_interrupt(lambda: say("stopping after this step")) as should_stop:
        trained = train_final(job, lambda _, __: None, should_stop)
    if trained is None:
        clock.keep()
        raise Interrupted("stopped; the same command continues")
    say(f"activations in {trained.precision}")
    right = round(trained.accuracy_percent * len(loaded.test) / 100)
    say(summary(Accuracy.of(right, len(loaded.test)), recipe, len(loaded.train), clock))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; gives its exit code."""
    return run_command(app, "python -m benchmarks.resnet20", arguments)


if __name__ == "__main__":
    sys.exit(main())

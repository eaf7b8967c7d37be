"""Ground truth on the handwritten digits: architectures trained by themselves, all of a small space or a draw.

python -m benchmarks.quick_truth --output truth.csv
python -m benchmarks.quick_truth --space digits --count 60 --epochs 20 --output drawn.csv
python -m benchmarks.quick_truth --space digits --code 333332 --epochs 20 --seeds 3 --output found.csv

The digits come inside scikit-learn, so that anyone can make the file again; tests keep one as ``quick_truth.csv``.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from surrogate_nas._support.files import write_text
from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.data.cache import save_splits
from surrogate_nas.data.loading import load_images
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.errors import SettingsError
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.training.settings import TrainingSettings
from surrogate_nas.training.train_network import ArchitectureNetwork, NetworkJob, train_network

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

MOST = 5000
"""Architectures of the largest space whose networks are all trained."""


def distinct_codes(space: Space, count: int | None = None, draw: int = 0) -> Codes:
    """Returns one connected architecture of every isomorphism class, or of ``count`` classes drawn, shape (C, D).

    Raises:
        SettingsError: If the space is too large to train whole.
    """
    if count is None and space.size > MOST:
        raise SettingsError(
            f"a space of at most {MOST:,} architectures is trained whole ({space.name}: {space.size:,}); use --count"
        )
    rng = np.random.default_rng(draw)
    codes = space.all_codes() if count is None else space.sample(20 * count, rng)
    distinct = np.unique(space.canonical(codes[space.is_connected(codes)]), axis=0)
    return distinct if count is None else rng.permutation(distinct)[:count]


def train_all(space: Space, codes: Codes, channels: int | None, epochs: int, seeds: int) -> np.ndarray:
    """Returns validation accuracies in percent, shape (C, seeds); a seed draws weights and the order of images."""
    settings = TrainingSettings(epochs=epochs, batch_size=64)
    found = np.empty((len(codes), seeds))
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        splits = load_images(DataSettings(source="digits", recalibration_images=20), 0)
        save_splits(folder / "images", splits)
        spec, size = space.network, splits.native_image_size
        sizes = (spec.channels, spec.cells) if channels is None else (channels, 1)
        network = NetworkSpec(*sizes, size, splits.channels, len(splits.class_names), spec.stages)
        for row, code in enumerate(codes):
            for seed in range(seeds):
                checkpoint = folder / f"{row}-{seed}.safetensors"
                trained_network = ArchitectureNetwork(space, tuple(code.tolist()), network)
                job = NetworkJob(trained_network, folder / "images", False, 1, settings, seed, checkpoint)
                trained = train_network(job, lambda _: None, lambda: False)
                found[row, seed] = np.nan if trained is None else trained.accuracy_percent
    return found


def table(space: Space, codes: Codes, accuracies: np.ndarray) -> str:
    """Returns the accuracies as CSV: a column for each seed, and their mean."""
    heads = ["code", *(f"seed{seed}" for seed in range(accuracies.shape[1])), "mean"]
    rows = zip(space.digits(codes), accuracies, strict=True)
    lines = [",".join([code, *(f"{one:.2f}" for one in values), f"{values.mean():.2f}"]) for code, values in rows]
    return "\n".join([",".join(heads), *lines]) + "\n"


@app.command()
def quick_truth(
    output: Annotated[Path, typer.Option(help="CSV to write.")],
    space: Annotated[str, typer.Option(help="A small space, by name or path.")] = "quick",
    count: Annotated[int | None, typer.Option(min=2, help="Architectures to draw, instead of all.")] = None,
    draw: Annotated[int, typer.Option(min=0, help="Seed that draws them.")] = 0,
    code: Annotated[list[str] | None, typer.Option(help="An architecture to train; may be repeated.")] = None,
    channels: Annotated[int | None, typer.Option(min=1, help="Width of a network of one cell a stage.")] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the digits.")] = 12,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each architecture.")] = 2,
) -> None:
    """Trains architectures of a space on the digits, each by itself: some minutes on one core."""
    torch.set_num_threads(1)
    loaded = load_space(space)
    codes = np.stack([loaded.parse(one) for one in code]) if code else distinct_codes(loaded, count, draw)
    accuracies = train_all(loaded, codes, channels, epochs, seeds)
    write_text(output, table(loaded, codes, accuracies))
    say(f"{output}: {len(codes)} architectures, {accuracies.min():.2f} to {accuracies.max():.2f}%")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; gives its exit code."""
    return run_command(app, "python -m benchmarks.quick_truth", arguments)


if __name__ == "__main__":
    sys.exit(main())

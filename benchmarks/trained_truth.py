"""Ground truth on images of a folder: drawn architectures of any space, each trained by itself and tested.

python -m benchmarks.trained_truth --data DIR --space images32 --flops-budget 20M --count 60 --output truth.csv

``DIR`` has ``train/`` and ``test/``, each with a folder per class. Architectures are drawn among those that keep the
budget and use at least half of it, as ``labels.in_band`` and ``labels.draws`` draw them. A run that was stopped goes
on where it stopped; ``--part 0/2`` and ``--part 1/2`` are two runs side by side that write two files.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from benchmarks.kept import require_same_options
from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.costs.budget import parse_budget
from surrogate_nas.data.cache import save_splits
from surrogate_nas.data.images import DataSplits
from surrogate_nas.data.loading import load_images
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.counted.analytic import AnalyticCosts
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Codes
from surrogate_nas.study.problem.budget_band import BudgetBand, PricedDraws, draw_in_bands
from surrogate_nas.training.settings import TrainingSettings
from surrogate_nas.training.train_network import ArchitectureNetwork, NetworkJob, train_network

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
_HEAD = "code,accuracy,loss,parameters,flops,seconds"


def trained_and_tested(data: Path, images: int, seed: int) -> DataSplits:
    """Returns the first images of ``train/`` after a shuffle, and all of ``test/`` as the images to validate on.

    Raises:
        SettingsError: If the two have other classes.
    """
    settings = DataSettings(source="folder", path=str(data / "train"), validation_fraction=0.1)
    everything = load_images(settings, seed)
    same_size = {"path": str(data / "test"), "image_size": everything.train.images.shape[-1]}
    tested = load_images(settings.model_copy(update=same_size), seed)
    require_same_classes(everything, tested)
    validation = replace(
        tested.train,
        images=torch.cat([part.images[:] for part in (tested.train, tested.validation, tested.recalibration)]),
        labels=torch.cat([part.labels for part in (tested.train, tested.validation, tested.recalibration)]),
    )
    chosen = torch.arange(min(images, len(everything.train)))
    return replace(everything, train=everything.train.take(chosen), validation=validation)


def require_same_classes(one: DataSplits, other: DataSplits) -> None:
    """Refuses images to test with whose labels are of other classes than the training images'.

    Raises:
        SettingsError: If they are.
    """
    if one.train.class_names != other.train.class_names:
        raise SettingsError(
            f"train/ has the classes {', '.join(one.train.class_names)}, and test/ has"
            f" {', '.join(other.train.class_names)}: give both the same folders"
        )


def drawn_codes(source: PricedDraws, budget: str, count: int, draw: int) -> Codes:
    """Returns architectures within a budget on multiply-accumulates, shape (M, D).

    Raises:
        SettingsError: If there are hardly any.
    """
    limit = parse_budget("flops", budget).resolve(np.array([np.nan]))
    codes = draw_in_bands(source, [BudgetBand([limit], 2.0)], count, np.random.default_rng(draw))
    if len(codes) < 2:
        raise SettingsError(
            f"fewer than two architectures of {source.space.name} lie below {budget}; set another budget"
        )
    return codes


def part_of(text: str) -> tuple[int, int]:
    """Returns the number of a part, from 0 on, and of how many, from a text such as ``0/2``.

    Raises:
        SettingsError: If it is another text.
    """
    number, _, parts = text.partition("/")
    if not (number.isdecimal() and parts.isdecimal() and int(number) < int(parts)):
        raise SettingsError(f"--part is a number and of how many, such as 0/2 (got {text!r})")
    return int(number), int(parts)


@app.command()
def trained_truth(
    data: Annotated[Path, typer.Option(help="Folder with train/ and test/.")],
    output: Annotated[Path, typer.Option(help="CSV to write or to go on with.")],
    space: Annotated[str, typer.Option(help="A space, by name or path.")] = "images32",
    flops_budget: Annotated[str, typer.Option(help="Upper bound, such as 20M.")] = "20M",
    count: Annotated[int, typer.Option(min=2, help="Architectures to draw.")] = 60,
    draw: Annotated[int, typer.Option(min=0, help="Seed that draws them.")] = 0,
    balanced: Annotated[bool, typer.Option(help="As many for each number of nonlinear functions.")] = True,
    code: Annotated[list[str] | None, typer.Option(help="An architecture instead; may be repeated.")] = None,
    images: Annotated[int, typer.Option(min=10, help="Training images.")] = 10_000,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over them.")] = 4,
    seed: Annotated[int, typer.Option(min=0, help="Seed of images, weights and batches.")] = 0,
    part: Annotated[str, typer.Option(help="Which part of how many.")] = "0/1",
) -> None:
    """Trains architectures, each by itself, and writes their accuracies on the test images."""
    torch.set_num_threads(1)
    number, parts = part_of(part)
    options: dict[str, object] = {"data": str(data.resolve()), "space": space, "images": images, "epochs": epochs}
    require_same_options(output.with_name(f"{output.name}.options.json"), options | {"seed": seed})
    loaded = load_space(space)
    splits = trained_and_tested(data, images, seed)
    own = loaded.network
    network = replace(own, image_size=splits.image_size, classes=len(splits.class_names))
    costs = AnalyticCosts(loaded, network)
    source = PricedDraws(loaded, costs.evaluate, "balanced" if balanced else "uniform")
    codes = np.stack([loaded.parse(one) for one in code]) if code else drawn_codes(source, flops_budget, count, draw)
    mine = codes[number::parts]
    done = set()
    if output.exists():
        done = {line.split(",")[0] for line in output.read_text(encoding="utf-8").splitlines()[1:]}
    else:
        output.write_text(f"{_HEAD}\n", encoding="utf-8")
    settings = TrainingSettings(epochs=epochs, batch_size=64)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        save_splits(folder / "images", splits)
        for position, row in enumerate(mine):
            text = loaded.digits([row])[0]
            if text in done:
                continue
            built = ArchitectureNetwork(loaded, tuple(row.tolist()), network)
            job = NetworkJob(built, folder / "images", True, 4, settings, seed, folder / f"{position}")
            began = time.process_time()
            trained = train_network(job, lambda _: None, lambda: False)
            assert trained is not None
            counts = f"{loaded.parameters([row], network)[0]},{loaded.flops([row], network)[0]}"
            line = (
                f"{text},{trained.accuracy_percent:.2f},{trained.loss:.4f},{counts},{time.process_time() - began:.1f}"
            )
            with output.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
            say(f"{position + 1} of {len(mine)}: {line}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; gives its exit code."""
    return run_command(app, "python -m benchmarks.trained_truth", arguments)


if __name__ == "__main__":
    sys.exit(main())

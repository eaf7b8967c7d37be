"""Compares the networks that studies find with networks off the shelf, at equal latency on this machine.

python -m benchmarks.rivals --data DIR --folder runs/rivals --images 20000 --epochs 8 --seeds 2

``DIR`` has ``train/`` and ``test/``, each with a folder per class. Budgets are shares of ResNet-20's latency in ONNX
Runtime. Every network is trained by one recipe on the same images and tested on ``test/``: the winner of a study of
each space, the largest of some architectures of each space that were drawn at random below the budget, and the rivals
at the largest width that fits. A run that was stopped goes on where it stopped.
"""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.contestants import YARDSTICK, Contestant, drawn, interface_of, latencies, off_the_shelf, sized, winners
from benchmarks.kept import minutes_of, require_same_options
from benchmarks.trained_truth import trained_and_tested
from surrogate_nas._processes.local_workers import LocalWorkers
from surrogate_nas._support.definitions import available
from surrogate_nas._support.files import write_text
from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.data.cache import save_splits
from surrogate_nas.deploy.accuracy import Accuracy
from surrogate_nas.hardware.cost_models import cost_model
from surrogate_nas.hardware.settings import HardwareSettings
from surrogate_nas.rivals.rival_network import RivalNetwork
from surrogate_nas.runs.study_file import parse_assignments
from surrogate_nas.space.load import load_space
from surrogate_nas.study.api import Study
from surrogate_nas.training.settings import TrainingSettings
from surrogate_nas.training.train_network import (
    NetworkJob,
    TrainedNetwork,
    train_network,
)

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def study_of(space: str, data: Path, folder: Path, limits: Sequence[float], settings: Mapping[str, Any]) -> float:
    """Runs or continues a study of a space at all budgets, and returns the processor minutes that it took.

    Pieces of networks that were measured before are not in them: the machine's cache has their latencies.

    A space that has a shipped study of its name is searched by that one, any other by ``cifar10``.
    """
    study = Study(
        space if space in available("studies") else "cifar10",
        output_dir=folder / "run",
        resume=(folder / "run").exists(),
        data=data,
        latency_budget=f"{limits[0]:.6f}ms",
        also_budget=[f"latency={limit:.6f}ms" for limit in limits[1:]],
        settings={"space": space, "rivals.names": [], **settings},
    )
    return minutes_of(folder / "minutes.json", study.run)


@dataclass(frozen=True)
class Recipe:
    """The training that all networks get.

    Attributes:
        settings: The recipe.
        seeds: Number of trainings of each network.
        folder: Folder of checkpoints and results.
        images: Folder of images.
        processes: Trainings side by side.
        epochs: Passes of the networks that have another number, by key.
    """

    settings: TrainingSettings
    seeds: int
    folder: Path
    images: Path
    processes: int
    epochs: Mapping[str, int] = field(default_factory=dict)

    def settings_of(self, key: str) -> TrainingSettings:
        """Returns the recipe of a network."""
        return self.settings.model_copy(update={"epochs": self.epochs.get(key, self.settings.epochs)})


def train_all(contestants: Sequence[Contestant], recipe: Recipe, side: int) -> dict[str, list[tuple[float, float]]]:
    """Returns accuracy in percent and processor minutes of each training of each network."""
    path = recipe.folder / "trained.json"
    known: dict[str, list[float]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    networks = {one.key: one.network for one in contestants}
    # All networks with a first seed before any with a second one, so that a stopped run compares all of them.
    wanted = [(key, seed) for seed in range(recipe.seeds) for key in networks if f"{key}#{seed}" not in known]
    jobs = [
        NetworkJob(
            networks[key],
            recipe.images,
            True,
            max(1, side // 8),
            recipe.settings_of(key),
            seed,
            recipe.folder / "checkpoints" / f"{key}-{seed}.safetensors",
        )
        for key, seed in wanted
    ]
    (recipe.folder / "checkpoints").mkdir(exist_ok=True)

    def keep(position: int, result: TrainedNetwork | None) -> None:
        assert result is not None
        key, seed = wanted[position]
        known[f"{key}#{seed}"] = [result.accuracy_percent, result.seconds / 60]
        write_text(path, json.dumps(known, indent=1))
        say(f"{time.strftime('%H:%M')} {key}, seed {seed}: {result.accuracy_percent:.2f}%")

    with LocalWorkers(recipe.processes) as workers:
        workers.run(train_network, jobs, on_result=keep, on_progress=lambda _: None, should_stop=lambda: False)
    return {
        key: [(known[f"{key}#{seed}"][0], known[f"{key}#{seed}"][1]) for seed in range(recipe.seeds)]
        for key in networks
    }


def table(
    contestants: Sequence[Contestant],
    limits: Sequence[float],
    measured: Mapping[str, float],
    trained: Mapping[str, Sequence[tuple[float, float]]],
    tested: int,
) -> str:
    """Returns the results as a Markdown table, budget by budget, the most accurate network first."""
    lines = [
        "| budget (ms) | network | from | ms | parameters | MACs | test accuracy | minutes of a training |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for budget, limit in enumerate(limits):
        mine = [one for one in contestants if one.budget == budget]
        for one in sorted(mine, key=lambda each: -np.mean([accuracy for accuracy, _ in trained[each.key]])):
            runs = trained[one.key]
            # The seeds share the test images, so that there are no more of them.
            shown = Accuracy.of(round(float(np.mean([accuracy for accuracy, _ in runs])) / 100 * tested), tested)
            cells = [
                *(f"{limit:.3f}", one.network.title, one.role, f"{measured[one.key]:.3f}"),
                *(f"{one.parameters / 1e3:.0f} K", f"{one.flops / 1e6:.1f} M"),
                f"{shown.percent:.2f} ({shown.low:.2f} to {shown.high:.2f})",
                f"{np.mean([minutes for _, minutes in runs]):.1f}",
            ]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


@app.command(name="rivals")
def compare(
    data: Annotated[Path, typer.Option(help="Folder with train/ and test/.")],
    folder: Annotated[Path, typer.Option(help="Where everything is kept.")],
    images: Annotated[int, typer.Option(min=100, help="Training images.")] = 20_000,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over them.")] = 8,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each network.")] = 2,
    number: Annotated[int, typer.Option("--rivals", min=0, help="Rivals besides ResNet-20 at each budget.")] = 3,
    space: Annotated[list[str] | None, typer.Option(help="A space; may be repeated.")] = None,
    share: Annotated[
        list[float] | None, typer.Option(help="Budget, in latencies of ResNet-20; may be repeated.")
    ] = None,
    precision: Annotated[str, typer.Option(help="Of activations in trainings: float32 or bfloat16.")] = "float32",
    processes: Annotated[int, typer.Option(min=1, help="Trainings side by side.")] = 2,
    settings: Annotated[
        list[str] | None, typer.Option("--study-set", help="A setting of a study, such as SPACE:supernet.steps=5000.")
    ] = None,
) -> None:
    """Searches, measures, trains, and prints the table."""
    folder.mkdir(parents=True, exist_ok=True)
    options = {"data": str(data.resolve()), "images": images, "epochs": epochs, "precision": precision}
    options |= {"share": share, "study-set": settings}
    require_same_options(folder / "options.json", options)
    splits = trained_and_tested(data, images, 0)
    save_splits(folder / "images", splits)
    interface = interface_of(splits)
    spaces = [load_space(name) for name in space or ["images32", "nasbench201"]]
    models = {one.name: cost_model(one, sized(one, interface), HardwareSettings(), seed=0) for one in spaces}
    costs = models[spaces[0].name]
    yardstick = RivalNetwork(YARDSTICK, 1.0, interface)
    whole = costs.measure_modules({yardstick.key: yardstick.build})[yardstick.key].median_ms
    limits = [whole * one for one in share or [0.5, 1.0, 2.0]]
    say(f"ResNet-20: {whole:.3f} ms; budgets {', '.join(f'{limit:.3f}' for limit in limits)} ms")
    rivals = list(off_the_shelf(interface, costs, limits, number))
    contestants: list[Contestant] = []
    for one in spaces:
        network, home = sized(one, interface), folder / one.name
        home.mkdir(exist_ok=True)
        own = [text.partition(":")[2] for text in settings or [] if text.startswith(f"{one.name}:")]
        minutes = study_of(one.name, data, home, limits, parse_assignments(own))
        say(f"{one.name}: the study took {minutes:.1f} processor minutes")
        contestants += winners(one, network, home / "run", limits)
        contestants += drawn(one, network, models[one.name], limits, 0)
    contestants += rivals
    measured = latencies(contestants, costs)
    recipe = TrainingSettings(
        epochs=epochs,
        warmup=0.05,
        label_smoothing=0.1,
        ema=0.02,
        precision=precision,
    )
    trained = train_all(contestants, Recipe(recipe, seeds, folder, folder / "images", processes), interface.image_size)
    say(table(contestants, limits, measured, trained, len(splits.validation)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; gives its exit code."""
    return run_command(app, "python -m benchmarks.rivals", arguments)


if __name__ == "__main__":
    sys.exit(main())

"""Compares what a study of a pretrained network's parts finds with the cuts of that network that people make by hand.

python -m benchmarks.finetune --data DIR --weights lite0.pth --folder runs/finetune --images 1000 --side 64 --epochs 10

``DIR`` has ``train/`` and ``test/``, each with a folder per class. Budgets are shares of the whole network's latency in
ONNX Runtime. Every network is trained by one recipe on the same images and tested on ``test/``: the answer of a study
(with its slice of the pretrained weights, and with the supernet's), the whole network at lower resolutions, narrower,
shallower and scaled in all three, slices drawn at random, and networks off the shelf from random weights. In the end
the best rival of each budget is trained for as long as the search and its answer's ``--long-epochs`` take together. A
run that was stopped goes on where it stopped. With ``--leaders``, the networks that begin with pretrained weights are
compared alone, which is enough for another seed of the images.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from benchmarks.contestants import Contestant, drawn, interface_of, latencies, off_the_shelf, sized, winners
from benchmarks.kept import minutes_of, require_same_options
from benchmarks.rivals import Recipe, table, train_all
from benchmarks.trained_truth import require_same_classes
from surrogate_nas._support.files import write_text
from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.data.cache import load_splits, save_splits
from surrogate_nas.data.images import DataSplits, ImageSet
from surrogate_nas.data.loading import divide_images
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.deploy.train.chosen import choose
from surrogate_nas.deploy.train.inheritance import first_network, inherit_from_run
from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.cost_models import CompositeCosts, cost_model
from surrogate_nas.lookup.table import LookupTable
from surrogate_nas.nets.pretrained.first_weights import FirstWeights
from surrogate_nas.nets.standalone import Network
from surrogate_nas.runs.study_file import parse_assignments, read_study
from surrogate_nas.space.kinds.chain.cuts import all_cuts, cut_code
from surrogate_nas.space.kinds.chain.elastic import ElasticSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.study.api import Study
from surrogate_nas.training.settings import TrainingSettings
from surrogate_nas.training.train_network import ArchitectureNetwork, NetworkJob, train_network

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

FOUND, WHOLE = "found", "the whole network"
_TIMED_EPOCHS = 10


@dataclass(frozen=True)
class SupernetsSlice:
    """The network of an architecture with the weights that the supernet of a run has for it.

    Attributes:
        run: Folder of a finished study.
        digits: The architecture.
    """

    run: Path
    digits: str

    @property
    def identity(self) -> dict[str, str]:
        """Run and architecture."""
        return {"run": str(self.run), "code": self.digits}

    @property
    def title(self) -> str:
        """Its name for people."""
        return f"architecture {self.digits}, weights of the supernet"

    def build(self) -> Network:
        """Returns the network."""
        choice = choose(self.run, arch=self.digits)
        network = first_network(choice, choice.code, 0, "supernet")
        inherit_from_run(network, choice, load_splits(choice.run.images))
        return network


def uniform_cuts(
    space: ElasticSpace, network: NetworkSpec, costs: CompositeCosts, limits: Sequence[float]
) -> Iterator[Contestant]:
    """Yields the largest cut of each kind below each budget: resolution, width, depth alone, and all of them."""
    cuts = all_cuts(space)
    codes = space.effective(np.stack([cut_code(space, cut) for cut in cuts]))
    latency, flops = costs.evaluate(codes)["latency_ms"], space.flops(codes, network)
    whole = cuts[-1]
    kinds = {
        "lower resolution": [whole._replace(resolution=cut.resolution) for cut in cuts],
        "narrower": [whole._replace(width=cut.width, expansion=cut.expansion) for cut in cuts],
        "shallower": [whole._replace(depth=cut.depth) for cut in cuts],
        "scaled in all": cuts,
    }
    for budget, limit in enumerate(limits):
        for role, wanted in kinds.items():
            rows = [row for row, cut in enumerate(cuts) if cut in wanted and latency[row] <= limit]
            if rows:
                best = max(rows, key=lambda row: flops[row])
                built = ArchitectureNetwork(space, tuple(codes[best].tolist()), network)
                counts = int(space.parameters(codes[best : best + 1], network)[0]), int(flops[best])
                yield Contestant(budget, role, built, *counts)


def few_images(data: Path, images: int, side: int, seed: int) -> DataSplits:
    """Returns all images that a study of this seed has as training images, and all of ``test/`` to validate on."""
    settings = DataSettings(source="folder", path=str(data / "train"), image_size=side, max_images=images)
    drawn_images = divide_images(settings, seed)
    tested = divide_images(settings.model_copy(update={"path": str(data / "test"), "max_images": None}), 0)
    require_same_classes(drawn_images, tested)
    return replace(drawn_images, train=_whole(drawn_images), validation=_whole(tested))


def _whole(splits: DataSplits) -> ImageSet:
    parts = (splits.train, splits.validation, splits.recalibration)
    return replace(
        splits.train,
        images=torch.cat([part.images[:] for part in parts]),
        labels=torch.cat([part.labels for part in parts]),
    )


def searched(data: Path, weights: str, folder: Path, limits: Sequence[float], settings: Mapping[str, object]) -> float:
    """Runs or continues the study at all budgets; returns its processor minutes."""
    study = Study(
        "pretrained",
        output_dir=folder / "run",
        resume=(folder / "run").exists(),
        data=data,
        latency_budget=f"{limits[0]:.6f}ms",
        also_budget=[f"latency={limit:.6f}ms" for limit in limits[1:]],
        weights=weights,
        settings={"rivals.names": [], **settings},
    )
    return minutes_of(folder / "minutes.json", study.run)


def of_weights(contestants: Iterable[Contestant], weights: Path, digest: str) -> Iterator[Contestant]:
    """Yields networks of architectures with their slices of the pretrained weights as first weights."""
    for one in contestants:
        assert isinstance(one.network, ArchitectureNetwork)
        yield replace(one, network=replace(one.network, first_weights=weights, pretrained=digest))


def best_rivals(
    contestants: Sequence[Contestant], trained: Mapping[str, Sequence[tuple[float, float]]]
) -> Iterator[tuple[Contestant, Contestant]]:
    """Yields the answer of each budget, the last with its role, and the most accurate other network.

    The last one begins with the supernet's weights, as ``train`` does; which start is better decides nothing.
    """
    for budget in sorted({one.budget for one in contestants}):
        mine = [one for one in contestants if one.budget == budget]
        found = [one for one in mine if FOUND in one.role]
        rivals = [one for one in mine if FOUND not in one.role and one.role != WHOLE]
        if found and rivals:
            yield found[-1], max(rivals, key=lambda one: float(np.mean([accuracy for accuracy, _ in trained[one.key]])))


def epoch_minutes(one: Contestant, recipe: Recipe, side: int) -> float:
    """Returns the processor minutes of one epoch, from trainings of one and of some epochs.

    The test after a training takes longer than a few epochs on few images, so that the difference of one epoch would
    be noise.
    """
    taken = []
    for epochs in (1, 1 + _TIMED_EPOCHS):
        with tempfile.TemporaryDirectory() as folder:
            settings = recipe.settings.model_copy(update={"epochs": epochs})
            shift, file = max(1, side // 8), Path(folder) / "x.safetensors"
            job = NetworkJob(one.network, recipe.images, True, shift, settings, 0, file)
            before = time.process_time()
            train_network(job, lambda _: None, lambda: False)
            taken.append((time.process_time() - before) / 60)
    return max((taken[1] - taken[0]) / _TIMED_EPOCHS, taken[0] / 1000)


def minutes_of_epochs(kept: Path, networks: Sequence[Contestant], recipe: Recipe, side: int) -> list[float]:
    """Returns the processor minutes of an epoch of each network; a file keeps them, so that runs that go on agree."""
    if not kept.exists():
        write_text(kept, json.dumps([epoch_minutes(one, recipe, side) for one in networks]))
    return [float(one) for one in json.loads(kept.read_text(encoding="utf-8"))]


def equal_epochs(searched_minutes: float, epochs: int, own: float, other: float) -> int:
    """Returns the epochs of a rival that take as long as a search and the answer's epochs, and not fewer than these.

    Args:
        searched_minutes: Processor minutes of the search.
        epochs: Epochs of its answer.
        own: Minutes of an epoch of the answer.
        other: Minutes of an epoch of the rival.
    """
    return max(epochs, round((searched_minutes + epochs * own) / other))


@app.command(name="finetune")
def compare(
    data: Annotated[Path, typer.Option(help="Folder with train/ and test/.")],
    weights: Annotated[str, typer.Option(help="Weights of the whole network: a file, or timm:NAME.")],
    folder: Annotated[Path, typer.Option(help="Where everything is kept.")],
    space_name: Annotated[str, typer.Option("--space", help="A space with a known network.")] = "efficientnet_lite0",
    images: Annotated[int, typer.Option(min=100, help="Images for search and training.")] = 1000,
    side: Annotated[int, typer.Option(min=32, help="Pixels of a side.")] = 64,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the images.")] = 10,
    long_epochs: Annotated[
        list[int] | None, typer.Option(min=1, help="Epochs of answers at equal time; may be repeated. [--epochs]")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each network.")] = 1,
    image_seed: Annotated[int, typer.Option(min=0, help="Seed of the images that are drawn, and of the study.")] = 0,
    share: Annotated[
        list[float] | None, typer.Option(help="Budget, as a share of the whole network's latency; may be repeated.")
    ] = None,
    processes: Annotated[int, typer.Option(min=1, help="Trainings side by side.")] = 2,
    leaders: Annotated[
        bool, typer.Option("--leaders", help="Leave out random weights and equal time: for more seeds of the images.")
    ] = False,
    settings: Annotated[list[str] | None, typer.Option("--study-set", help="A setting of the study.")] = None,
) -> None:
    """Searches, measures, trains, and prints the table."""
    folder.mkdir(parents=True, exist_ok=True)
    options: dict[str, object] = {"data": str(data.resolve()), "weights": weights, "space": space_name, "share": share}
    options |= {"images": images, "side": side, "epochs": epochs, "image-seed": image_seed, "study-set": settings}
    require_same_options(folder / "options.json", options)
    splits = few_images(data, images, side, image_seed)
    save_splits(folder / "images", splits)
    interface = replace(interface_of(splits), image_size=side)
    space = load_space(space_name)
    if not isinstance(space, ElasticSpace):
        raise SettingsError(f"--space {space_name} has no sizes to cut; choose efficientnet_lite0 or mobilenet_v2")
    network = sized(space, interface)
    first = FirstWeights.read(space, weights)
    first.save(folder / "first.safetensors")
    hardware = read_study("pretrained", {}).hardware  # as the study's own, so that pieces are measured once
    costs = cost_model(space, network, hardware, seed=0)
    whole = ArchitectureNetwork(space, tuple(space.largest().tolist()), network)
    parts = int(space.parameters([whole.code], network)[0]), int(space.flops([whole.code], network)[0])
    yardstick = Contestant(0, WHOLE, whole, *parts)
    latency = latencies([yardstick], costs)[yardstick.key]
    limits = [latency * one for one in share or [0.25, 0.5, 0.75]]
    say(f"the whole network: {latency:.3f} ms; budgets {', '.join(f'{limit:.3f}' for limit in limits)} ms")
    sizes: dict[str, object] = {"data.max_images": images, "space": space_name, "seed": image_seed}
    sizes |= {"data.image_size": side, "network.image_size": side}
    minutes = searched(data, weights, folder, limits, {**sizes, **parse_assignments(settings or [])})
    say(f"the study took {minutes:.1f} processor minutes")
    found = list(winners(space, network, folder / "run", limits))
    parts_of_it = [*found, *uniform_cuts(space, network, costs, limits), *drawn(space, network, costs, limits, 0)]
    contestants = list(of_weights([yardstick, *parts_of_it], folder / "first.safetensors", first.digest))
    if not leaders:
        contestants += off_the_shelf(interface, costs, limits, 1)
    measured = latencies(contestants, costs)
    answers = LookupTable.load(folder / "run")
    for one in found:
        slice_of = SupernetsSlice(folder / "run", answers.best(latency_ms=limits[one.budget]).code)
        again = replace(one, role=f"{one.role}, weights of the supernet", network=slice_of)
        measured[again.key] = measured[one.key]
        contestants.append(again)
    recipe = TrainingSettings(
        epochs=epochs, batch_size=32, learning_rate=0.03, layer_decay=0.9, head_share=0.1, label_smoothing=0.1, ema=0.02
    )
    whole_recipe = Recipe(recipe, seeds, folder, folder / "images", processes)
    trained, tested = train_all(contestants, whole_recipe, side), len(splits.validation)
    say(table(contestants, limits, measured, trained, tested))
    if leaders:
        return
    say("\nThe best rival of each budget at equal processor time: it trains for as long as search and answer take.\n")
    for answer, rival in best_rivals(contestants, trained):
        own, other = minutes_of_epochs(folder / f"minutes-{rival.budget}.json", (answer, rival), whole_recipe, side)
        for answers_epochs in long_epochs or [epochs]:
            passes = {answer.key: answers_epochs, rival.key: equal_epochs(minutes, answers_epochs, own, other)}
            home = folder / f"long-{rival.budget}-{answers_epochs}"
            home.mkdir(exist_ok=True)
            long_recipe = replace(whole_recipe, folder=home, epochs=passes)
            both = [replace(one, role=f"{one.role}, {passes[one.key]} epochs") for one in (rival, answer)]
            say(table(both, limits, measured, train_all(both, long_recipe, side), tested))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; gives its exit code."""
    return run_command(app, "python -m benchmarks.finetune", arguments)


if __name__ == "__main__":
    sys.exit(main())

"""Exports networks of random weights to runtimes, and prints a table: agreement with torch, size and latency.

python -m benchmarks.exports --runtimes openvino,executorch --int8
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from torch import nn
from torch.nn import functional as F

from surrogate_nas.cli.command_line import complain, run_command, say
from surrogate_nas.data.final_images import FinalImages
from surrogate_nas.data.images import ImageSet
from surrogate_nas.deploy.runtime_files import write_runtime_files
from surrogate_nas.export.onnx_model import compare, write_onnx
from surrogate_nas.export.quantization import write_int8
from surrogate_nas.export.runtimes.protocol import Source
from surrogate_nas.export.runtimes.table import EXPORTS, asked_runtimes
from surrogate_nas.hardware.measure.model_files import measure_models
from surrogate_nas.hardware.settings import HardwareSettings
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

SPACES = "quick,nasbench201,images32,efficientnet_lite0"
_HEAD = "| space | file | same class as torch | largest difference of a score | KB | ms |\n" + "| --- " * 6 + "|"
_BATCH = 32
_PATCH = 8  # sides of the patches of one colour in an image, of which a network makes different scores


def random_network(name: str, images: int, seed: int) -> tuple[nn.Module, FinalImages]:
    """Returns a network of a space with random weights, and images whose labels are the network's own classes.

    Args:
        name: The space; the network is its own.
        images: Number of training and of test images.
        seed: Decides architecture, weights and images.
    """
    space = load_space(name)
    rng = np.random.default_rng(seed)
    drawn = space.sample(100, rng)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build_network(space, drawn[space.is_connected(drawn)][0], space.network)
        parts = [_pictures(images, space.network) for _ in range(2)]
    names = tuple(f"class {number}" for number in range(space.network.classes))
    train, test = (ImageSet(part, torch.zeros(images, dtype=torch.int64), names) for part in parts)
    made = FinalImages.of(train, test, "own", ())
    with torch.no_grad():
        network.train()
        for part in torch.split(made.normalise(train.images[:]), _BATCH):
            network(part)
        network.eval()
        # Every class has the same mean score, so that images are of many classes.
        [*_, last] = (layer for layer in network.modules() if isinstance(layer, nn.Linear))
        last.bias.sub_(_scores(network, made.normalise(train.images[:])).mean(dim=0))
        labels = _scores(network, made.normalise(test.images[:])).argmax(dim=1)
    return network, FinalImages.of(train, ImageSet(test.images, labels, names), "own", ())


def _scores(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    return torch.cat([network(part) for part in torch.split(images, _BATCH)])


def _pictures(count: int, network: NetworkSpec) -> torch.Tensor:
    side = network.image_size
    patches = torch.rand(count, network.input_channels, -(-side // _PATCH), -(-side // _PATCH))
    patches = patches * torch.rand(count, network.input_channels, 1, 1)
    return (F.interpolate(patches, size=(side, side)) * 255).to(torch.uint8)


def rows_of(
    name: str, runtimes: Sequence[str], hardware: HardwareSettings, images: int, *, int8: bool, seed: int
) -> list[str]:
    """Returns the rows of a space: its ONNX files, and the files of runtimes; those that fail have the reason."""
    network, made = random_network(name, images, seed)
    calibration, tested = (made.normalise(part.images[:]) for part in (made.train, made.test))
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        paths = {"float": folder / "model.onnx"}
        write_onnx(paths["float"], network, tested, {})
        if int8:
            paths["int8"] = folder / "model.int8.onnx"
            write_int8(paths["int8"], paths["float"], calibration, {})
        latencies = measure_models(paths, hardware)
        found = [
            (path.name, compare(network, path, tested), path.stat().st_size, latencies[precision])
            for precision, path in paths.items()
        ]
        source = Source(network, paths, calibration, {}, hardware.batch)
        files = write_runtime_files(runtimes, folder, source, made, hardware)
    for variants in files.variants.values():
        found += [(one.file, one.agreement, one.size_bytes, one.latency) for one in variants.values()]
    rows = [
        f"| {name} | `{file}` | {one.equal_predictions:,} of {one.images:,} | {one.largest_difference:.2g}"
        f" | {size / 1000:,.0f} | {latency.median_ms:.3g} |"
        for file, one, size, latency in found
    ]
    return [*rows, *(f"| {name} | {failed} | {reason} | | | |" for failed, reason in files.failures.items())]


@app.command()
def exports(
    spaces: Annotated[str, typer.Option(help="Search spaces, with commas between them.")] = SPACES,
    runtimes: Annotated[str, typer.Option(help="Runtimes, with commas between them.")] = ",".join(EXPORTS),
    int8: Annotated[bool, typer.Option("--int8", help="Export 8-bit models as well.")] = False,
    images: Annotated[int, typer.Option(min=2, max=10_000, help="Images to compare on.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Decides networks and images.")] = 0,
) -> None:
    """Exports one network of each space and compares every file with torch."""
    asked = asked_runtimes(runtimes)
    say(_HEAD)
    for name in spaces.split(","):
        complain(f"{name} ...")
        for row in rows_of(name, asked, HardwareSettings(), images, int8=int8, seed=seed):
            say(row)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return run_command(app, "python -m benchmarks.exports", arguments)


if __name__ == "__main__":
    sys.exit(main())

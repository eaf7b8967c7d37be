"""Trains a network, quantises it, and trains it for 8 bits: accuracy in float, and in 8 bits without and with that.

python -m benchmarks.eight_bits --data DIR --space images32 --images 3000 --epochs 8 --quantisation-epochs 3

Accuracies are of validation images that nothing is trained on. 8-bit models run in ONNX Runtime.
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

from surrogate_nas.cli.command_line import complain, run_command, say
from surrogate_nas.data.final_images import FinalImages
from surrogate_nas.data.loading import load_images
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.errors import TrainingError
from surrogate_nas.export.onnx_model import run_onnx, write_onnx
from surrogate_nas.export.quantization import write_int8
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.load import load_space
from surrogate_nas.training.eight_bits import EightBitJob, tune_for_8_bits
from surrogate_nas.training.final import FinalJob, train_final
from surrogate_nas.training.recipes import final_recipe
from surrogate_nas.training.settings import FinalSettings

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

_HEAD = "| activations | float | 8 bits | 8 bits after training for them | images |\n" + "| --- " * 5 + "|"


def accuracy_of_int8(network: nn.Module, images: FinalImages, seed: int, *, signed: bool) -> float:
    """Returns the accuracy in percent that a network has in 8 bits, in ONNX Runtime."""
    with tempfile.TemporaryDirectory() as folder:
        source, model = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
        tested = images.normalise(images.test.images[:])
        write_onnx(source, network, tested, {})
        write_int8(model, source, images.calibration(seed), {}, signed=signed)
        named = run_onnx(model, tested).argmax(axis=1)
    return float(100 * np.mean(named == images.test.labels.numpy()))


@app.command()
def eight_bits(
    data: Annotated[Path, typer.Option(help="Folder of images.")],
    space: Annotated[str, typer.Option(help="Search space.")] = "images32",
    arch: Annotated[str | None, typer.Option(help="Code. Without it: one is drawn.")] = None,
    images: Annotated[int, typer.Option(min=20, help="Images to train on; half as many are held out.")] = 3000,
    epochs: Annotated[int, typer.Option(min=1, help="Length of the training.")] = 8,
    quantisation_epochs: Annotated[int, typer.Option(min=1, help="Length of the training for 8 bits.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Of images, weights and trainings.")] = 0,
) -> None:
    """Prints a row for each form of 8 bits."""
    loaded = load_space(space)
    settings = DataSettings(
        source="folder", path=str(data), max_images=images * 3 // 2, validation_fraction=1 / 3, recalibration_images=10
    )
    colours = "grey" if loaded.network.input_channels == 1 else "rgb"
    fitting = settings.model_copy(update={"image_size": loaded.network.image_size, "channels": colours})
    splits = load_images(fitting, seed)
    made = FinalImages.of(splits.train, splits.validation, "validation", ())
    given = FinalSettings(epochs=epochs, precision="float32", quantisation_epochs=quantisation_epochs)
    size = loaded.network.image_size
    recipe = final_recipe(flip=True, images=len(made.train), image_size=size, given=given)
    drawn = loaded.sample(100, np.random.default_rng(seed))
    code = loaded.effective(drawn[loaded.is_connected(drawn)][:1] if arch is None else loaded.parse(arch)[None])[0]
    torch.manual_seed(seed)
    network = build_network(loaded, code, loaded.network)
    say(f"{space} {loaded.digits(code[None])[0]}, {recipe.words()}\n\n{_HEAD}")
    with tempfile.TemporaryDirectory() as folder:
        job = FinalJob(network, made, recipe, seed, Path(folder) / "float", {}, torch.device("cpu"))
        trained = train_final(job, lambda _done, _total: None, lambda: False)
        for signed in (False, True):
            if trained is None:
                raise TrainingError("the training was stopped")
            form = "signed" if signed else "unsigned"
            complain(f"8 bits, {form} ...")
            tuning = EightBitJob(job, trained.network, quantisation_epochs, signed, Path(folder) / form)
            tuned = tune_for_8_bits(tuning, lambda _done, _total: None, lambda: False)
            if tuned is None:
                raise TrainingError("the training was stopped")
            plain, better = (
                accuracy_of_int8(one.network.to(memory_format=torch.contiguous_format), made, seed, signed=signed)
                for one in (trained, tuned)
            )
            say(f"| {form} | {trained.accuracy_percent:.2f}% | {plain:.2f}% | {better:.2f}% | {len(made.test):,} |")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return run_command(app, "python -m benchmarks.eight_bits", arguments)


if __name__ == "__main__":
    sys.exit(main())

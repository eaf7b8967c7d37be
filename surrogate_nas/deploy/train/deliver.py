"""From a trained network to the files that are deployed, each checked against it and measured."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from surrogate_nas import __version__
from surrogate_nas._processes.process_group import Processes
from surrogate_nas._support.files import write_text
from surrogate_nas._support.model_format import (
    CARD,
    FORMAT,
    INT8,
    ONNX,
    PROGRAM,
    Preprocessing,
)
from surrogate_nas.data.final_images import TEST_ORIGINS, FinalImages
from surrogate_nas.deploy.accuracy import Accuracy
from surrogate_nas.deploy.confusion import Confusion, confusion_of
from surrogate_nas.deploy.device_file import DeviceFile, plan_delivered, runtimes_with_planner
from surrogate_nas.deploy.runtime_files import MOST_UNEQUAL, RuntimeFiles, write_runtime_files
from surrogate_nas.deploy.train.card import model_card
from surrogate_nas.deploy.train.chosen import Choice
from surrogate_nas.deploy.train.inheritance import start_of, start_words
from surrogate_nas.deploy.train.model_facts import ModelFacts
from surrogate_nas.deploy.train.rival_models import compared_on_test
from surrogate_nas.deploy.train.train_request import TrainRequest
from surrogate_nas.deploy.variant import Variant
from surrogate_nas.errors import ExportError
from surrogate_nas.export.model_folder import copy_model, save_model
from surrogate_nas.export.onnx_model import compare, run_onnx, write_onnx, write_program
from surrogate_nas.export.quantization import write_int8
from surrogate_nas.export.runtimes.protocol import Source
from surrogate_nas.hardware.measure.model_files import measure_models
from surrogate_nas.hardware.settings import HardwareSettings
from surrogate_nas.report.facts.against_rivals import RivalsFacts
from surrogate_nas.rivals.rival_network import RivalNetwork
from surrogate_nas.space.layouts import seen_size
from surrogate_nas.training.final import Trained
from surrogate_nas.training.recipes import Recipe

UNFINISHED = "unfinished"
"""Folder in a model's folder, of files that are not all written and checked yet."""
_CHECKED_IMAGES = 1000
_STEPS = 5


@dataclass(frozen=True)
class Delivery:
    """A trained model that is to be delivered, and how it came about.

    Attributes:
        request: The user's request.
        choice: Which architecture, and where its files go.
        recipe: How it was trained.
        scratch: How networks that begin with random weights are trained.
        seed: Of the training.
        images: What it was trained and tested on.
        trained: The network.
        processes: How many trained it.
        warnings: Sentences on what may be wrong with the images.
        rivals: Accuracy of each off-the-shelf network that was trained as well.
        table: The study's table of off-the-shelf networks, if there is one.
        tuned: The network after it was trained for 8 bits, where it was.
    """

    request: TrainRequest
    choice: Choice
    recipe: Recipe
    scratch: Recipe
    seed: int
    images: FinalImages
    trained: Trained
    processes: Processes
    warnings: tuple[str, ...] = ()
    rivals: Mapping[RivalNetwork, Accuracy] = field(default_factory=dict)
    table: RivalsFacts | None = None
    tuned: Trained | None = None


class _Exported(NamedTuple):
    """The ONNX models, the classes that the float one names, the files of other runtimes, and the device's own.

    ``plain_int8`` is the accuracy of the 8-bit ONNX model without training for 8 bits, where the network had some.
    """

    variants: dict[str, Variant]
    confusion: Confusion
    runtimes: RuntimeFiles
    device_file: DeviceFile | None
    plain_int8: Accuracy | None
    opset: int


def describe(choice: Choice, images: FinalImages) -> dict[str, Any]:
    """Returns the part of ``model.json`` and the ONNX files that is known before anything is measured."""
    code, preprocessing = choice.code[None], preprocessing_of(images)
    return {
        "format": FORMAT,
        "schema_version": preprocessing.schema_version,
        "created_with": __version__,
        "space": {"name": choice.space.name, "fingerprint": choice.space.fingerprint},
        "code": choice.entry.code,
        "effective_code": choice.space.digits(code)[0],
        "architecture": choice.entry.architecture,
        "network": {name: getattr(choice.network, name) for name in choice.network.__dataclass_fields__},
        "class_names": list(images.train.class_names),
        "preprocessing": preprocessing.as_json(),
    }


def preprocessing_of(images: FinalImages) -> Preprocessing:
    """Returns the preprocessing of the training images."""
    return Preprocessing(images.train.image_size, images.train.channels, images.mean, images.std, images.fit)


def deliver(delivery: Delivery, advance: Callable[[int, int], None]) -> ModelFacts:
    """Writes every file into the model's folder, and copies them next to the study's answer where they are its model.

    A model that lies there is replaced as a whole once all files of the new one are written and checked.

    Raises:
        ExportError: If a file cannot be written, or computes something else than the network.
        MeasurementError: If a latency cannot be measured.
    """
    choice, images = delivery.choice, delivery.images
    network = delivery.trained.network.to(memory_format=torch.contiguous_format)
    description = describe(choice, images)
    with _unfinished(choice.folder) as folder:
        facts = _facts(delivery, _export(delivery, network, description, folder, advance))
        card = model_card(facts, images.train.class_names, preprocessing_of(images), __version__)
        write_text(folder / CARD, card)
        space_toml = choice.run.space.read_text(encoding="utf-8")
        program = choice.space.program.source if choice.space.program else None
        save_model(folder, network, {**description, "results": facts.as_json()}, space_toml, program)
        copy_model(folder, choice.folder)
    if choice.is_answer:
        copy_model(choice.folder, choice.run.best)
    advance(_STEPS, _STEPS)
    return facts


@contextmanager
def _unfinished(folder: Path) -> Iterator[Path]:
    """Yields an empty folder inside another one, which is removed in the end; a killed process may have left one."""
    place = folder / UNFINISHED
    shutil.rmtree(place, ignore_errors=True)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _export(
    delivery: Delivery,
    network: nn.Module,
    description: dict[str, Any],
    folder: Path,
    advance: Callable[[int, int], None],
) -> _Exported:
    """Writes the files that need no Python of this project, and checks and measures the ONNX models."""
    images = delivery.images
    checked = images.checked(delivery.seed, _CHECKED_IMAGES)
    paths: dict[str, Path] = {"float": folder / ONNX}
    opset = write_onnx(folder / ONNX, network, checked, description)
    advance(1, _STEPS)
    write_program(folder / PROGRAM, network, checked)
    advance(2, _STEPS)
    calibration, hardware = images.calibration(delivery.seed), delivery.choice.settings.hardware
    tuned = None if delivery.tuned is None else delivery.tuned.network.to(memory_format=torch.contiguous_format)
    plain = None
    if delivery.request.makes_int8(hardware):
        paths["int8"] = folder / INT8
        quantise = partial(write_int8, images=calibration, description=description, signed=_signed(hardware))
        plain = _write_int8(quantise, paths, tuned, images)
    agreements = {name: compare(network, path, checked) for name, path in paths.items()}
    unequal = agreements["float"].images - agreements["float"].equal_predictions
    if unequal > MOST_UNEQUAL * len(checked):
        raise ExportError(
            f"{folder / ONNX} gives {unequal} of {len(checked)} test images another class than torch does; please"
            " report this architecture"
        )
    advance(3, _STEPS)
    latencies = measure_models(paths, hardware)
    named = {name: _named_classes(path, images) for name, path in paths.items()}
    labels = images.test.labels.numpy()
    accuracies = {name: Accuracy.of(int((one == labels).sum()), len(labels)) for name, one in named.items()}
    variants = {
        name: Variant(path.name, path.stat().st_size, accuracies[name], agreements[name], latencies[name])
        for name, path in paths.items()
    }
    advance(4, _STEPS)
    source = Source(network, paths, calibration, description, hardware.batch, tuned)
    names = runtimes_with_planner(delivery.request.runtimes, hardware)
    runtimes = write_runtime_files(names, folder, source, images, hardware)
    device_file = plan_delivered(folder, source, hardware)
    confusion = confusion_of(labels, named["float"], images.test.class_names)
    return _Exported(variants, confusion, runtimes, device_file, plain, opset)


def _signed(hardware: HardwareSettings) -> bool:
    return hardware.activations == "signed"


def _write_int8(
    quantise: Callable[..., None], paths: Mapping[str, Path], tuned: nn.Module | None, images: FinalImages
) -> Accuracy | None:
    """Writes the 8-bit model; returns the accuracy that it has without training for 8 bits, where there was some."""
    if tuned is None:
        quantise(paths["int8"], paths["float"])
        return None
    with tempfile.TemporaryDirectory() as folder:
        source, plain = Path(folder) / "tuned.onnx", Path(folder) / "plain.onnx"
        write_onnx(source, tuned, images.normalise(images.test.images[:1]), {})
        quantise(paths["int8"], source)
        quantise(plain, paths["float"])
        right = _named_classes(plain, images) == images.test.labels.numpy()
    return Accuracy.of(int(right.sum()), len(right))


def _facts(delivery: Delivery, exported: _Exported) -> ModelFacts:
    request, choice, images = delivery.request, delivery.choice, delivery.images
    entry, hardware, names = choice.entry, choice.settings.hardware, images.train.class_names
    test = accuracy_of(delivery.trained, images)
    return ModelFacts(
        code=entry.code,
        architecture=entry.architecture,
        seen_size=seen_size(choice.space, choice.code, choice.network),
        test=test,
        test_origin=TEST_ORIGINS[images.origin],
        predicted_percent=entry.predicted_accuracy_percent,
        predicted_half_width=choice.half_width,
        costs=entry.costs,
        budgets=choice.budgets,
        device=choice.device,
        conditions=choice.conditions,
        batch=hardware.batch,
        threads=hardware.threads,
        onnx=exported.variants,
        opset=exported.opset,
        recipe=f"{delivery.recipe.words()}, activations in {delivery.trained.precision}",
        start=start_words(choice, start_of(request, choice)),
        seed=delivery.seed,
        train_images=len(images.train),
        processes=delivery.processes.count,
        command=request.command,
        dataset=choice.settings.data.source,
        confusion=exported.confusion,
        trained_on=dict(zip(names, torch.bincount(images.train.labels, minlength=len(names)).tolist(), strict=True)),
        warnings=delivery.warnings,
        predicted_basis=choice.basis,
        runtimes=exported.runtimes,
        device_file=exported.device_file,
        plain_int8=exported.plain_int8,
        quantisation_epochs=delivery.recipe.settings.quantisation_epochs,
        numbers=hardware.numbers,
        signed_int8=_signed(hardware),
        rivals=compared_on_test(delivery.table, test, delivery.rivals, delivery.recipe, delivery.scratch),
    )


def accuracy_of(trained: Trained, images: FinalImages) -> Accuracy:
    """Returns the accuracy of a trained network on the test images, with its interval."""
    return Accuracy.of(round(trained.accuracy_percent * len(images.test) / 100), len(images.test))


def _named_classes(path: Path, images: FinalImages) -> NDArray[np.int64]:
    """Returns the class that a model names for each test image, shape (N,)."""
    parts = [
        run_onnx(path, images.normalise(pixels)).argmax(axis=1) for pixels, _ in images.test.in_order(_CHECKED_IMAGES)
    ]
    return np.concatenate(parts)

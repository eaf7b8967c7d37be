"""Writes the files of runtimes, runs each of them on every test image, and measures its latency."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from surrogate_nas._support.words import one_line
from surrogate_nas.data.final_images import FinalImages
from surrogate_nas.deploy.accuracy import Accuracy
from surrogate_nas.deploy.variant import Variant
from surrogate_nas.errors import ExportError, WriteError
from surrogate_nas.export.onnx_model import Agreement, agreement_of
from surrogate_nas.export.runtimes.protocol import Runtime, Score, Source
from surrogate_nas.export.runtimes.refused_parts import refused_parts
from surrogate_nas.export.runtimes.table import EXPORTS, RUNTIME_FILES
from surrogate_nas.hardware.measure.timing import Clock, Run, choose_clock, measure_interleaved, timed_passes
from surrogate_nas.hardware.settings import HardwareSettings
from surrogate_nas.nets.onnx_models.onnx_export import quiet_exporters

_BATCH = 100  # of torch
MOST_UNEQUAL = 0.002
"""Share of images whose class may differ from torch's where two scores are nearly equal."""


@dataclass(frozen=True)
class RuntimeFiles:
    """The exported files.

    Attributes:
        variants: By runtime and precision.
        failures: Why a model is missing, by runtime and precision, such as ``"openvino int8"``.
    """

    variants: dict[str, dict[str, Variant]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def complaints(self) -> list[str]:
        """Returns a sentence for each model that is missing."""
        return [
            f"not exported to {name}: {reason}; all other files are there" for name, reason in self.failures.items()
        ]


class _Tested(NamedTuple):
    runtime: str
    precision: str
    files: list[Path]
    accuracy: Accuracy
    agreement: Agreement
    timer: Run


class _Exporter:
    """Writes and tests the files of one network.

    Args:
        folder: Where files go.
        source: The network.
        images: Whose test images every file is run on.
        threads: CPU threads of a forward pass.
    """

    def __init__(self, folder: Path, source: Source, images: FinalImages, threads: int) -> None:
        self._folder, self._source, self._images, self._threads = folder, source, images, threads
        self._clock = choose_clock(torch.device("cpu"), threads)
        self._expected = _scores(partial(_forward, source.network), images, _BATCH)

    def export(self, name: str, precision: str) -> _Tested:
        """Returns the tested files of one runtime.

        Raises:
            Exception: Whatever the runtime raises, and ``ExportError`` if it computes something else than torch.
        """
        row, images, batch = EXPORTS[name], self._images, self._source.batch
        files = [self._folder / file for file in row.files(precision)]
        with quiet_exporters():
            runtime: Runtime = row.make()
            runtime.write(files, self._source, precision)
            score = runtime.open(files[0], batch, self._threads)
        scores = _scores(score, images, batch)
        right = scores.argmax(axis=1) == images.test.labels.numpy()
        agreement = agreement_of(scores, self._expected)
        unequal = agreement.images - agreement.equal_predictions
        if precision == "float" and unequal > MOST_UNEQUAL * agreement.images:
            raise ExportError(f"it gives {unequal:,} of {agreement.images:,} test images another class than torch does")
        example = images.normalise(images.test.images[:1]).numpy().repeat(batch, axis=0)
        timer = _timer(partial(score, example), self._clock)
        return _Tested(name, precision, files, Accuracy.of(int(right.sum()), len(right)), agreement, timer)

    def explained(self, name: str, precision: str, error: Exception) -> str:
        """Returns why there is no file of a runtime: the parts of the network that it refuses, if they are the reason.

        Args:
            name: The runtime.
            precision: Of the file.
            error: Whatever ``export`` raised.
        """
        if isinstance(error, ExportError):
            return one_line(error)
        row = EXPORTS[name]
        try:
            with quiet_exporters():
                parts = refused_parts(row.make(), row.files(precision), self._source, precision)
        except Exception:
            parts = []
        if not parts:
            return one_line(error)
        return (
            f"{row.title} cannot take {', '.join(parts)} ({one_line(error, 100)}): search without"
            f" {'it' if len(parts) == 1 else 'them'}, or choose another runtime"
        )


def write_runtime_files(
    names: Sequence[str], folder: Path, source: Source, images: FinalImages, settings: HardwareSettings
) -> RuntimeFiles:
    """Writes, tests and measures the files of runtimes; one that fails is left out, with the reason.

    Files of runtimes that lie in the folder and were not made now are removed: they are of another training.

    Args:
        names: Runtimes of the table.
        folder: Where files go.
        source: The network.
        images: Whose test images every file is run on.
        settings: Threads and timing of latencies.

    Raises:
        WriteError: If a file cannot be written, such as on a full disk.
        MeasurementError: If a latency cannot be measured.
    """
    made, tested = RuntimeFiles(), []
    exporter = _Exporter(folder, source, images, settings.threads) if names else None
    for name, precision in product(names, source.onnx):
        assert exporter is not None
        try:
            tested.append(exporter.export(name, precision))
        except WriteError:
            raise
        except Exception as error:  # runtimes raise errors of any class
            reason = exporter.explained(name, precision, error)
            made.failures[" ".join((name, *(["int8"] if precision == "int8" else [])))] = reason
    kept = {file.name for one in tested for file in one.files}
    for file in RUNTIME_FILES:
        if file not in kept:
            (folder / file).unlink(missing_ok=True)
    latencies = measure_interleaved([one.timer for one in tested], settings.timing) if tested else []
    for one, latency in zip(tested, latencies, strict=True):
        size = sum(file.stat().st_size for file in one.files)
        variant = Variant(one.files[0].name, size, one.accuracy, one.agreement, latency)
        made.variants.setdefault(one.runtime, {})[one.precision] = variant
    return made


def _scores(score: Score, images: FinalImages, batch: int) -> NDArray[np.float32]:
    """Returns the scores of all test images, by batches of which the last one is filled up, shape (N, classes)."""
    parts = []
    for pixels, _ in images.test.in_order(batch):
        inputs = images.normalise(pixels).numpy()
        missing = batch - len(inputs)
        parts.append(score(np.pad(inputs, ((0, missing), (0, 0), (0, 0), (0, 0))))[: len(inputs)])
    return np.concatenate(parts)


def _forward(network: nn.Module, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    with torch.no_grad():
        scores: NDArray[np.float32] = network(torch.from_numpy(pixels)).numpy()
    return scores


def _timer(forward: Callable[[], object], clock: Clock) -> Run:
    return lambda count: timed_passes(forward, count, clock, lambda: None)

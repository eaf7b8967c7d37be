"""Measures the latency of whole networks and of exported models on this machine."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import nn

from surrogate_nas._support.cache_folder import expanded
from surrogate_nas._support.commands import shown
from surrogate_nas._support.model_format import INT8, ONNX
from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.measure.bench import Bench, Candidate
from surrogate_nas.hardware.measure.model_files import measure_models
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.hardware.protocol import Progress
from surrogate_nas.hardware.settings import HardwareSettings
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space

UNPROFILED = "measured networks alone"
"""Kind of a latency that is known of measured networks alone, as a cost model describes it."""


def measure_networks(
    bench: Bench,
    space: Space,
    network: NetworkSpec,
    codes: ArrayLike,
    on_progress: Progress | None = None,
    prefix: str = "network",
) -> list[Measurement]:
    """Returns the latency of the network of each code, without its dead operations.

    Args:
        bench: Device and settings of the measurement.
        space: Space of the codes.
        network: Sizes of the networks.
        codes: Shape (N, D).
        on_progress: Called during measurements.
        prefix: Prefix of the names under which measurements are kept.

    Raises:
        MeasurementError: If a network cannot be built or run.
    """
    effective = space.effective(codes)
    names = [f"{prefix}:{digits}" for digits in space.digits(effective)]
    built = [partial(build_network, space, code, network) for code in effective]
    measured = measure_modules(bench, network, dict(zip(names, built, strict=True)), on_progress)
    return [measured[name] for name in names]


def measure_modules(
    bench: Bench,
    network: NetworkSpec,
    builders: Mapping[str, Callable[[], nn.Module]],
    on_progress: Progress | None = None,
) -> dict[str, Measurement]:
    """Returns the latency of any networks that take the images of the deployed one, measured in turns.

    Args:
        bench: Device and settings of the measurement.
        network: The deployed network.
        builders: Functions that build a network, by the names under which measurements are kept.
        on_progress: Called during measurements.

    Raises:
        MeasurementError: If a network cannot be built or run.
    """
    shape = (network.input_channels, network.image_size, network.image_size)
    candidates: dict[str, Candidate] = {name: (build, shape) for name, build in builders.items()}
    return bench.measure("whole networks", candidates, on_progress)


class WholeNetworks:
    """Latency of networks that are measured as a whole; nothing is known of any other, and nothing is profiled.

    A cost model without a cost, which can measure: see ``Measurable``.

    Args:
        space: Search space of the codes.
        network: The deployed network.
        bench: Device and settings of the measurements.
    """

    names: tuple[str, ...] = ()

    def __init__(self, space: Space, network: NetworkSpec, bench: Bench) -> None:
        self._space, self._network, self._bench = space, network, bench

    def evaluate(self, codes: ArrayLike) -> dict[str, NDArray[np.float64]]:
        """Returns no cost of codes (N, D)."""
        self._space.check(codes)
        return {}

    def measure_architectures(self, codes: ArrayLike) -> list[Measurement]:
        """Returns the latency of each whole network; see ``Measurable``."""
        return measure_networks(self._bench, self._space, self._network, codes)

    def measure_modules(self, builders: Mapping[str, Callable[[], nn.Module]]) -> dict[str, Measurement]:
        """Returns the latency of other networks that take the same images; see ``Measurable``."""
        return measure_modules(self._bench, self._network, builders)

    def relative_error(self, cost: str) -> float | None:
        """Knows no cost.

        Raises:
            SettingsError: Always.
        """
        raise SettingsError(f"unknown cost {cost!r}; networks are measured here, and nothing is predicted")

    def held_out_errors(self, cost: str) -> NDArray[np.float64]:
        """Knows no cost.

        Raises:
            SettingsError: Always.
        """
        raise SettingsError(f"unknown cost {cost!r}; networks are measured here, and nothing is predicted")

    def describe(self) -> dict[str, Any]:
        """Returns device and settings of the measurements, of a latency that no column holds."""
        return {"latency_ms": {"kind": UNPROFILED, **self._bench.describe()}}


def measure(
    what: Space | Path | str,
    architecture: str | None = None,
    network: NetworkSpec | None = None,
    settings: HardwareSettings | None = None,
) -> Measurement:
    """Measures a latency on this machine, of an architecture of a space or of an exported model.

    An architecture is measured once: a second call returns the first measurement, unless the settings have
    ``remeasure``. A model is measured on the CPU at every call.

    Args:
        what: The search space; or an ONNX file, or the folder of a trained model, which is measured in the precision of
            the settings.
        architecture: A code of the space or its text.
        network: Sizes of the network; the space's own unless given.
        settings: Device, back-end, threads and length of the measurement.

    Raises:
        SpaceError: If the architecture is not one of the space.
        SettingsError: If there is no such file, or this machine has no such device.
        MeasurementError: If the network cannot be run.

    Example:
        ``folder`` is the run folder of a study whose answer was trained.

        >>> from surrogate_nas import load_space, measure
        >>> latency = measure(load_space("quick"), "1102")
        >>> latency.median_ms > 0, latency.repeats > 0
        (True, True)
        >>> measure(folder / "best").median_ms > 0
        True
    """
    settings = settings or HardwareSettings()
    if not isinstance(what, Space):
        if architecture is not None or network is not None:
            raise SettingsError("a file is one network: leave out architecture and network, or give a space")
        if settings.backend not in ("auto", "onnx"):
            raise SettingsError(f"a file is measured in ONNX Runtime, and not by the back-end {settings.backend}")
        return _measure_model(expanded(what), settings)
    if architecture is None:
        raise SettingsError('measure needs an architecture of the space, such as measure(space, "1102")')
    network = network or what.network
    bench = Bench(what, network, settings)
    (measured,) = measure_networks(bench, what, network, what.parse(architecture)[None])
    return measured


def _measure_model(path: Path, settings: HardwareSettings) -> Measurement:
    quantised = settings.precision == "int8"
    file = path / (INT8 if quantised else ONNX) if path.is_dir() else path
    if quantised and file.name == ONNX:
        raise SettingsError(f"{file} is the float model; measure {INT8} beside it")
    if not file.is_file():
        raise SettingsError(
            f"there is no model at {file}; export one by: {shown('train', 'RUN', *(['--int8'] * quantised))}"
        )
    return measure_models({"model": file}, settings)["model"]

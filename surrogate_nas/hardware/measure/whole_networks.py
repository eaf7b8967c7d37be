"""Latency of whole networks on this machine."""

from collections.abc import Mapping
from functools import partial

from numpy.typing import ArrayLike

from surrogate_nas.hardware.measure.bench import Bench, Candidate
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.hardware.protocol import Progress
from surrogate_nas.hardware.settings import HardwareSettings
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space


def measure_networks(
    bench: Bench,
    space: Space,
    network: NetworkSpec,
    codes: ArrayLike,
    on_progress: Progress | None = None,
    prefix: str = "network",
) -> list[Measurement]:
    """Latency of the network of each code, without its dead operations.

    Args:
        bench: Where it is measured.
        space: Space of the codes.
        network: Sizes of the networks.
        codes: Shape (N, D).
        on_progress: Called while networks are measured.
        prefix: Begins the names under which measurements are kept.

    Raises:
        MeasurementError: If a network cannot be built or run.
    """
    effective = space.effective(codes)
    names = [f"{prefix}:{digits}" for digits in space.digits(effective)]
    shape = (network.input_channels, network.image_size, network.image_size)
    candidates: Mapping[str, Candidate] = {
        name: (partial(build_network, space, code, network), shape) for name, code in zip(names, effective, strict=True)
    }
    measured = bench.measure("whole networks", candidates, on_progress)
    return [measured[name] for name in names]


def measure(
    space: Space, architecture: str, network: NetworkSpec | None = None, settings: HardwareSettings | None = None
) -> Measurement:
    """Measures the latency of one architecture on this machine, once: a second call gives what the first one measured.

    Args:
        space: The search space.
        architecture: A code or its text.
        network: Sizes of the network; the space's own unless given.
        settings: Device, back-end, threads and length of the measurement; ``remeasure`` measures again.

    Raises:
        SpaceError: If the architecture is not one of the space.
        SettingsError: If this machine has no such device.
        MeasurementError: If the network cannot be run.

    Example:
        >>> from surrogate_nas import load_space, measure
        >>> latency = measure(load_space("quick"), "1102")
        >>> latency.median_ms > 0, latency.repeats > 0
        (True, True)
    """
    network = network or space.network
    bench = Bench(space, network, settings or HardwareSettings())
    (measured,) = measure_networks(bench, space, network, space.parse(architecture)[None])
    return measured

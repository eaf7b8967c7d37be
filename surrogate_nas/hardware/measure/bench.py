"""Measures candidates on one device, and only the candidates that this machine has not measured before.

A machine is faster or slower by some percent from one hour to the next, and slower while it does other work. So one
network is timed in turns with whatever is measured, and latencies are given as ratios to it, in milliseconds of the
time when it was first measured.
"""

import platform
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from surrogate_nas._support.cache_folder import cache_folder
from surrogate_nas._support.optional import require_package
from surrogate_nas.errors import MeasurementError
from surrogate_nas.hardware.measure.backends import build_forward, resolve_backend
from surrogate_nas.hardware.measure.machine import machine_name, resolve_device
from surrogate_nas.hardware.measure.measurement_cache import REFERENCE, MeasurementCache
from surrogate_nas.hardware.measure.pieces import prepare
from surrogate_nas.hardware.measure.timing import (
    WARM_UP_PASSES,
    Reference,
    Run,
    choose_clock,
    forward_run,
    measure_interleaved,
    torch_threads,
)
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.hardware.protocol import Progress
from surrogate_nas.hardware.settings import HardwareSettings
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.pool import draw
from surrogate_nas.space.space import Codes, Space

_DRAWS = 64
# Compiled ones were measured wrongly before each had code of its own: their cache is another one since.
_RUNTIMES = {"eager": "torch", "exported": "torch", "compiled": "torch, one by one"}

Candidate = tuple[Callable[[], Callable[[Tensor], Tensor]], tuple[int, int, int]]
"""A function that builds the candidate to time, and the shape (C, H, W) of its input."""


def _version_of_runtime() -> str:
    return str(require_package("onnxruntime", "ONNX models", MeasurementError).__version__)


class Bench:
    """Device with settings on which pieces and whole networks of one network size are measured.

    Args:
        space: Search space of the candidates.
        network: The deployed network.
        settings: Device, batch, threads and timing.
        folder: Folder of the cache; None is the user's cache folder.

    Raises:
        SettingsError: If this machine has no such device, or it cannot compute in the precision.
    """

    def __init__(
        self, space: Space, network: NetworkSpec, settings: HardwareSettings, folder: Path | None = None
    ) -> None:
        self.device = resolve_device(settings.device)
        self._settings = settings
        self._backend = resolve_backend(settings.backend, self.device, settings.numbers)
        self._clock = choose_clock(self.device, settings.threads)
        self._space, self._network = space, network
        self._measured_here: dict[str, Measurement] = {}
        self._scale_ms: float | None = None
        self.cache = MeasurementCache(
            folder or cache_folder(),
            {
                "device": str(self.device),
                "machine": machine_name(self.device),
                "architecture": platform.machine(),
                "torch": str(torch.__version__),
                "threads": settings.threads,
                "batch": settings.batch,
                "dtype": settings.numbers,
                "clock": self._clock.name,
                "warm_up": WARM_UP_PASSES,
                "backend": self._backend,
                "runtime": _RUNTIMES.get(self._backend) or _version_of_runtime(),
                "space": space.fingerprint,
                "network": network.described(),
            },
        )

    def measure(
        self, what: str, candidates: Mapping[str, Candidate], on_progress: Progress | None = None
    ) -> dict[str, Measurement]:
        """Returns the latency of every candidate.

        Args:
            what: Name of the candidates in progress reports, such as ``"operations"``.
            candidates: Candidates by the name under which the cache keeps them.
            on_progress: Called during measurements.

        Raises:
            MeasurementError: If a candidate cannot be built or run.
        """
        known = self._known(candidates)
        missing = {name: candidate for name, candidate in candidates.items() if name not in known}
        reference = self._known([REFERENCE])
        # A calm one takes its place, and scales what was measured beside it; so before anything of it is used.
        if doubted := bool(reference) and reference[REFERENCE].noisy and REFERENCE not in self._measured_here:
            reference = {}
        if missing or doubted:
            measured = self._measure_now(what, missing, reference, on_progress)
            keep = self.cache.replace if self._settings.remeasure else self.cache.add
            self._measured_here |= (kept := self._in_own_scale(keep(measured)))
            known = self._known(candidates) | {name: kept[name] for name in missing}
        if reference := self._known([REFERENCE]):
            self._scale_ms = reference[REFERENCE].median_ms
        return {name: known[name] for name in candidates}

    def describe(self) -> dict[str, Any]:
        """Returns the device, software and settings of the measurements, as JSON takes it."""
        hidden = ("space", "network")
        return {key: value for key, value in self.cache.identity.items() if key not in hidden}

    @cached_property
    def _reference(self) -> Candidate:
        space, network = self._space, self._network
        shape = (network.input_channels, network.image_size, network.image_size)
        return partial(build_network, space, _typical(space, network), network), shape

    @property
    def reference_ms(self) -> float | None:
        """The latency of the reference when it was first measured; None before anything was."""
        known = self._known([REFERENCE]).get(REFERENCE)
        return None if known is None else known.median_ms

    def _run(self, forward: Callable[[Tensor], Tensor], example: Tensor) -> Run:
        run = build_forward(self._backend, forward, example, self._settings.threads, self._settings.numbers)
        return forward_run(run, example, self._clock)

    def _known(self, candidates: Iterable[str]) -> dict[str, Measurement]:
        # Once is enough even with ``remeasure``: costs must not change within a run.
        kept = {} if self._settings.remeasure else self._in_own_scale(self.cache.read())
        known = {**kept, **self._measured_here}
        return {name: known[name] for name in candidates if name in known}

    def _in_own_scale(self, kept: Mapping[str, Measurement]) -> dict[str, Measurement]:
        """Returns measurements in the scale that this process began with.

        Another process may have replaced a noisy reference since, and with it all milliseconds of the cache.
        """
        if self._scale_ms is None or REFERENCE not in kept or kept[REFERENCE].median_ms == self._scale_ms:
            return dict(kept)
        factor = self._scale_ms / kept[REFERENCE].median_ms
        own = {name: one.scaled(factor) for name, one in kept.items()}
        return own | {REFERENCE: replace(own[REFERENCE], median_ms=self._scale_ms)}

    def _measure_now(
        self,
        what: str,
        candidates: Mapping[str, Candidate],
        reference: Mapping[str, Measurement],
        on_progress: Progress | None,
    ) -> dict[str, Measurement]:
        """Returns measurements of candidates, and of the reference where it has none yet."""
        batch, timing = self._settings.batch, self._settings.timing
        # A measurement must not change the random draws that the caller makes afterwards.
        with torch_threads(self._settings.threads), torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            try:
                every = [*candidates.values(), self._reference]
                *runs, beside = [self._run(*prepare(build(), shape, batch, self.device)) for build, shape in every]
            except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
                # On the CPU torch has no error of its own for a lack of memory.
                if not isinstance(error, (torch.OutOfMemoryError, MemoryError)) and "allocate" not in str(error):
                    raise
                raise MeasurementError(
                    f"{len(candidates)} {what} do not fit in the memory of {self.device};"
                    " use a smaller batch or network"
                ) from error
            on_round = partial(on_progress, what) if on_progress is not None else None
            reference = reference or {REFERENCE: self._new_reference(beside)}
            one = reference[REFERENCE]
            measured = measure_interleaved(runs, timing, on_round, Reference(beside, one.median_ms))
            if one.noisy:
                measured = [replace(each, noisy=True) for each in measured]
        return {**reference, **dict(zip(candidates, measured, strict=True))}

    def _new_reference(self, beside: Run) -> Measurement:
        """Returns the reference measured now; a calm one of the cache if this one is noisy, as the cache keeps that."""
        timing = self._settings.timing
        # All other latencies are ratios to it, so that it has twice the attempts.
        patient = timing.model_copy(update={"attempts": 2 * timing.attempts})
        new, old = measure_interleaved([beside], patient)[0], self.cache.read().get(REFERENCE)
        return old if new.noisy and old is not None and not old.noisy else new


def _typical(space: Space, network: NetworkSpec) -> Codes:
    """Returns the architecture in the middle of some draws of all depths, by multiply-accumulates, shape (D,)."""
    drawn = draw(space, _DRAWS, "balanced", np.random.default_rng(0))
    order = np.argsort(space.flops(drawn, network), kind="stable")
    return np.asarray(drawn[order[len(order) // 2]])

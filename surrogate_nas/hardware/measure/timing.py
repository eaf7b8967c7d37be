"""Measures the latency of modules on this machine.

Candidates are timed in turns, one sample of each per round, so a machine that slows down or speeds up in the meantime
affects all of them and does not reverse their order. A reference among them makes latencies of different hours
comparable.
"""

import gc
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from surrogate_nas._support.words import first_line
from surrogate_nas.errors import MeasurementError
from surrogate_nas.hardware.measurement import Measurement, summarize
from surrogate_nas.hardware.settings import TimingSettings

SAMPLE_SECONDS = 3e-4
"""Shortest sample: long compared to the clock's steps, short compared to the time slices of a busy machine."""

MOST_PASSES = 1000
WARM_UP_PASSES, WARM_UP_SECONDS = 5, 0.05
"""Untimed passes before a sample, fewer where they take longer than these seconds.

Other candidates ran last. A pass takes up to 1.8 times as long until the weights are back in the caches, more for some
networks than for others: after one pass the next one still takes 1.1 to 1.7 times as long, after five 1.0 times
(benchmarks/results/latency.md).
"""
_WARM_UP_SAMPLES = 3
_READINGS, _DISTINCT = 1000, 100

Run = Callable[[int], float]
"""Makes the given number of forward passes and returns the seconds that they took."""


@dataclass(frozen=True)
class Clock:
    """Clock that latencies are measured with.

    Attributes:
        name: For reports.
        now: Seconds since some point in time.
    """

    name: str
    now: Callable[[], float]


WALL = Clock("wall clock", time.perf_counter)
THREAD = Clock("CPU time of the thread", getattr(time, "thread_time", time.perf_counter))


def choose_clock(device: torch.device, threads: int) -> Clock:
    """Returns the clock for a device and a number of CPU threads.

    A forward pass on one CPU thread never waits, so alone on a machine it takes as long by either clock. On a busy one
    the thread's own clock stands still while the core is lent to other processes; passes of 12 ms read 20 ms by the
    wall clock of such a machine.
    """
    alone = device.type == "cpu" and threads == 1
    return THREAD if alone and hasattr(time, "thread_time") and _is_fine(THREAD) else WALL


def _is_fine(clock: Clock) -> bool:
    """Returns whether a clock moves as it is read; the thread clock of Windows steps by 16 ms but claims finer ones."""
    return len({clock.now() for _ in range(_READINGS)}) >= _DISTINCT


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Runs a block with a number of torch's CPU threads, and restores the former number afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def forward_run(forward: Callable[[Tensor], object], example: Tensor, clock: Clock) -> Run:
    """Returns a timer of forward passes on the example, on the device that it is on."""

    def finish() -> None:
        if example.is_cuda:
            torch.cuda.synchronize(example.device)
        elif example.device.type == "mps":
            torch.mps.synchronize()

    def run(count: int) -> float:
        with torch.inference_mode():
            return timed_passes(lambda: forward(example), count, clock, finish)

    return run


def timed_passes(one_pass: Callable[[], object], count: int, clock: Clock, finish: Callable[[], None]) -> float:
    """Returns the seconds of some passes, after untimed ones that bring weights back into the caches.

    Args:
        one_pass: Makes one forward pass.
        count: Passes to time.
        clock: The clock.
        finish: Waits until the device has done all passes.
    """
    began = clock.now()
    for _ in range(WARM_UP_PASSES):
        one_pass()
        finish()
        if clock.now() - began > WARM_UP_SECONDS:
            break
    start = clock.now()
    for _ in range(count):
        one_pass()
    finish()
    return clock.now() - start


@dataclass(frozen=True)
class Reference:
    """A network that is timed in turns with candidates.

    Attributes:
        run: Its timer.
        median_ms: Its latency in the state of the machine that all latencies are of.
    """

    run: Run
    median_ms: float

    def in_its_state(self, measured: Sequence[Measurement], now: Measurement) -> list[Measurement]:
        """Returns measurements as the machine would have given them in that state.

        Args:
            measured: Measurements of candidates.
            now: Measurement of the reference in turns with them; if it is noisy, so are they.
        """
        factor = self.median_ms / now.median_ms
        return [replace(one.scaled(factor), noisy=one.noisy or now.noisy) for one in measured]


def measure_interleaved(
    runs: Sequence[Run],
    timing: TimingSettings,
    on_round: Callable[[int, int], None] | None = None,
    reference: Reference | None = None,
) -> list[Measurement]:
    """Times candidates in turns; noisy ones are timed again, and marked if they stay noisy.

    Of several attempts the smallest median counts, since a disturbance can only lengthen a measurement. One of the
    reference shortens what was timed beside it: attempts with a calm reference come first, then the ones in which it
    was the fastest.

    Args:
        runs: A timer per candidate.
        timing: Length of the measurement, and the limit of noise.
        on_round: Called with the rounds done and the rounds planned; every attempt starts at 0.
        reference: Timed in turns with them in every attempt.

    Returns:
        A measurement per candidate, in their order; with a reference, in its state of the machine.

    Raises:
        MeasurementError: If a candidate cannot be run.
    """
    attempts: list[list[_Beside]] = [[] for _ in runs]
    for _ in range(timing.attempts):
        pending = [index for index, made in enumerate(attempts) if all(one.measurement.noisy for one in made)]
        if not pending:
            break
        measured = _attempt_beside(reference, [runs[index] for index in pending], timing, on_round)
        for index, one in zip(pending, measured, strict=True):
            attempts[index].append(one)
    return [_of_attempts(made, timing) for made in attempts]


@dataclass(frozen=True)
class _Beside:
    """A measurement in an attempt, and the one of the reference in it where there is one."""

    measurement: Measurement
    reference: Measurement | None

    @property
    def order(self) -> tuple[float, float]:
        """Rank among attempts, the one that counts first."""
        disturbed = self.reference.median_ms if self.reference is not None and self.reference.noisy else 0.0
        return disturbed, self.measurement.median_ms


def _of_attempts(made: Sequence[_Beside], timing: TimingSettings) -> Measurement:
    """Returns the fastest attempt. It is calm if it was, or if a calm attempt took as long to within the noise.

    Not the calmest: a machine that is slowed down evenly throughout looks calm.
    """
    fastest = min(made, key=lambda one: one.order).measurement
    most_ms = fastest.median_ms * (1 + timing.noise)
    calm = any(not one.measurement.noisy and one.measurement.median_ms <= most_ms for one in made)
    return replace(fastest, noisy=not calm)


def _attempt_beside(
    reference: Reference | None,
    runs: Sequence[Run],
    timing: TimingSettings,
    on_round: Callable[[int, int], None] | None,
) -> list[_Beside]:
    if reference is None:
        return [_Beside(one, None) for one in _attempt(runs, timing, on_round)]
    *measured, now = _attempt([*runs, reference.run], timing, on_round)
    return [_Beside(one, now) for one in reference.in_its_state(measured, now)]


def _attempt(
    runs: Sequence[Run], timing: TimingSettings, on_round: Callable[[int, int], None] | None
) -> list[Measurement]:
    with _no_collection():
        passes, sample_seconds = zip(*(_passes_per_sample(run) for run in runs), strict=True)
        allowed = timing.seconds * len(runs)
        rounds = math.ceil(np.clip(allowed / sum(sample_seconds), timing.min_repeats, timing.most_repeats))
        seconds: list[list[float]] = []
        start = time.perf_counter()
        # On a busy machine the planned rounds would take far longer than intended.
        while len(seconds) < rounds and (len(seconds) < timing.min_repeats or time.perf_counter() - start < allowed):
            seconds.append(_round(runs, passes, backwards=len(seconds) % 2 == 1))
            if on_round is not None:
                on_round(len(seconds), rounds)
    if on_round is not None and len(seconds) < rounds:
        on_round(rounds, rounds)
    return [summarize(column, timing.noise) for column in np.array(seconds).T]


def _round(runs: Sequence[Run], passes: Sequence[int], *, backwards: bool) -> list[float]:
    """Returns one sample of every candidate, in seconds per pass, in forward or backward order."""
    samples = [0.0] * len(runs)
    for index in reversed(range(len(runs))) if backwards else range(len(runs)):
        samples[index] = _checked(runs[index], passes[index]) / passes[index]
    return samples


def _passes_per_sample(run: Run) -> tuple[int, float]:
    """Returns the number of forward passes in a sample, and the sample's seconds, its untimed passes included."""
    one_pass = min(_checked(run, 1) for _ in range(_WARM_UP_SAMPLES))
    passes = min(MOST_PASSES, max(1, math.ceil(SAMPLE_SECONDS / one_pass)))
    untimed = min(WARM_UP_PASSES, math.floor(WARM_UP_SECONDS / one_pass) + 1)
    return passes, (passes + untimed) * one_pass


def _checked(run: Run, passes: int) -> float:
    try:
        # A clock with coarse steps may not move at all.
        return max(run(passes), 1e-9)
    except RuntimeError as error:
        reason = first_line(error)
        remedy = "; use a smaller batch or network" if isinstance(error, torch.OutOfMemoryError) else ""
        raise MeasurementError(f"a forward pass failed while its latency was measured: {reason}{remedy}") from error


@contextmanager
def _no_collection() -> Iterator[None]:
    """Prevents the garbage collector from running in the middle of a sample."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()

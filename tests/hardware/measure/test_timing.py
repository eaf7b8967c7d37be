"""Timing in turns, with machines that a test makes up."""

import gc
import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from surrogate_nas.errors import MeasurementError
from surrogate_nas.hardware.measure import timing
from surrogate_nas.hardware.measure.timing import (
    Clock,
    Reference,
    Run,
    choose_clock,
    forward_run,
    measure_interleaved,
    timed_passes,
    torch_threads,
)
from surrogate_nas.hardware.settings import TimingSettings


class Machine:
    """Candidates of known latency on a machine whose speed changes from sample to sample."""

    def __init__(self, seconds: list[float], drift: float = 0.0) -> None:
        self.order: list[int] = []
        self.seconds = seconds
        self.slowness = 1.0
        self.drift = drift

    def runs(self) -> list[Run]:
        return [self._run(index) for index in range(len(self.seconds))]

    def _run(self, index: int) -> Run:
        def run(count: int) -> float:
            self.order.append(index)
            self.slowness += self.drift
            return count * self.seconds[index] * self.slowness

        return run


SETTINGS = TimingSettings(seconds=0.05, min_repeats=10, max_repeats=20, attempts=1)


def test_latencies_are_per_pass_however_many_passes_make_a_sample() -> None:
    measured = measure_interleaved(Machine([2e-6, 5e-3]).runs(), SETTINGS)
    assert [one.median_ms for one in measured] == pytest.approx([2e-3, 5.0])
    assert not any(one.noisy for one in measured)


def test_drift_does_not_reverse_the_order_of_close_candidates() -> None:
    # A machine that becomes 20% slower from the first sample to the last; candidates 1% apart.
    machine = Machine([1.02e-3, 1.01e-3, 1.00e-3], drift=0.003)
    medians = [one.median_ms for one in measure_interleaved(machine.runs(), SETTINGS)]
    assert medians == sorted(medians, reverse=True)


def test_candidates_take_turns_to_and_fro() -> None:
    machine = Machine([1e-3, 1e-3, 1e-3])
    measure_interleaved(machine.runs(), SETTINGS)
    rounds = np.array(machine.order[-30:]).reshape(-1, 3).tolist()
    assert rounds[:4] in ([[0, 1, 2], [2, 1, 0]] * 2, [[2, 1, 0], [0, 1, 2]] * 2)


def test_noisy_candidates_alone_are_measured_again_and_then_marked() -> None:
    rng = np.random.default_rng(0)
    calls = [0, 0]

    def steady(count: int) -> float:
        calls[0] += 1
        return count * 1e-3

    def restless(count: int) -> float:
        calls[1] += 1
        return count * 1e-3 * float(rng.uniform(1.0, 4.0))

    settings = TimingSettings(seconds=0.05, min_repeats=10, max_repeats=10, attempts=3)
    measured = measure_interleaved([steady, restless], settings)
    assert [one.noisy for one in measured] == [False, True]
    assert calls[1] == 3 * calls[0]


def test_a_machine_that_was_slow_throughout_an_attempt_does_not_count() -> None:
    rng = np.random.default_rng(0)
    passes = 0

    def run(count: int) -> float:
        nonlocal passes
        passes += 1
        # First noisy around the true latency, then calm but twice as slow.
        return count * 1e-3 * (float(rng.uniform(0.9, 1.1)) if passes <= 23 else 2.0)

    settings = TimingSettings(seconds=0.05, min_repeats=20, max_repeats=20, attempts=2, noise=0.02)
    (measured,) = measure_interleaved([run], settings)
    assert measured.median_ms == pytest.approx(1.0, rel=0.1)
    assert measured.noisy


def test_a_calm_attempt_that_took_as_long_settles_a_noisy_one() -> None:
    passes = 0

    def run(count: int) -> float:
        nonlocal passes
        passes += 1
        return count * 1e-3 * ((1.0 + 0.3 * (passes % 2)) if passes <= 23 else 1.1)

    settings = TimingSettings(seconds=0.05, min_repeats=20, max_repeats=20, attempts=2)
    (measured,) = measure_interleaved([run], settings)
    assert measured.median_ms <= 1.15
    assert not measured.noisy


def test_a_busy_machine_does_not_stretch_the_time_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0

    def run(count: int) -> float:
        nonlocal now
        now += 10 * count * 1e-3  # the thread had the core for a tenth of the time
        return count * 1e-3

    monkeypatch.setattr("surrogate_nas.hardware.measure.timing.time.perf_counter", lambda: now)
    settings = TimingSettings(seconds=0.6, min_repeats=5, max_repeats=100, attempts=1)
    rounds: list[tuple[int, int]] = []
    (measured,) = measure_interleaved([run], settings, lambda done, total: rounds.append((done, total)))
    assert measured.repeats == pytest.approx(60, abs=1)
    assert rounds[-1] == (100, 100)


def test_the_garbage_collector_is_as_before() -> None:
    assert gc.isenabled()
    measure_interleaved(Machine([1e-3]).runs(), SETTINGS)
    assert gc.isenabled()
    gc.disable()
    try:
        measure_interleaved(Machine([1e-3]).runs(), SETTINGS)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_failing_pass_is_a_measurement_error_with_its_reason() -> None:
    def run(_count: int) -> float:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    with pytest.raises(MeasurementError, match=r"CUDA out of memory\.; use a smaller batch"):
        measure_interleaved([run], SETTINGS)
    assert gc.isenabled()


def test_the_number_of_threads_is_restored_after_an_error() -> None:
    before = torch.get_num_threads()

    def fail() -> None:
        with torch_threads(before + 3):
            assert torch.get_num_threads() == before + 3
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert torch.get_num_threads() == before


def test_the_thread_clock_is_for_one_cpu_thread_only() -> None:
    assert choose_clock(torch.device("cpu"), 2) is timing.WALL
    assert choose_clock(torch.device("cuda:0"), 1) is timing.WALL
    assert choose_clock(torch.device("mps"), 1) is timing.WALL
    assert choose_clock(torch.device("cpu"), 1) in (timing.THREAD, timing.WALL)


@pytest.mark.parametrize(("readings_a_step", "chosen"), [(1, "THREAD"), (5, "THREAD"), (400, "WALL")])
def test_a_thread_clock_of_long_steps_is_not_used(
    readings_a_step: int, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The resolution that the system reports does not matter: Windows moves its clock every 16 ms."""
    readings = itertools.count()
    coarse = timing.Clock("coarse", lambda: 0.016 * (next(readings) // readings_a_step))
    monkeypatch.setattr(timing, "THREAD", coarse)
    assert choose_clock(torch.device("cpu"), 1) is getattr(timing, chosen)


def test_a_pass_on_apple_s_gpu_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[str] = []
    monkeypatch.setattr(torch.mps, "synchronize", lambda: waited.append("mps"))
    example = SimpleNamespace(is_cuda=False, device=torch.device("mps"))
    forward_run(lambda _: None, example, timing.WALL)(3)  # type: ignore[arg-type]
    assert waited == ["mps"] * 6  # after every untimed pass, and before the clock is read


def test_a_pass_runs_without_gradients_and_more_passes_take_longer() -> None:
    modes: list[bool] = []

    def forward(x: torch.Tensor) -> torch.Tensor:
        modes.append(torch.is_inference_mode_enabled())
        return x @ x

    run = forward_run(forward, torch.zeros(64, 64), timing.WALL)
    assert 0 < run(1) < run(2000)
    assert len(modes) == 2011
    assert all(modes)


def test_a_reference_takes_turns_and_gives_the_state_of_the_machine() -> None:
    machine = Machine([1e-3, 4e-3, 2e-3])
    machine.slowness = 1.5
    *runs, beside = machine.runs()
    measured = measure_interleaved(runs, SETTINGS, None, Reference(beside, 2.0))
    assert [one.median_ms for one in measured] == pytest.approx([1.0, 4.0])
    assert machine.order.count(2) == machine.order.count(0)


def test_a_noisy_reference_makes_what_is_timed_beside_it_noisy() -> None:
    rng = np.random.default_rng(0)

    def restless(count: int) -> float:
        return count * 1e-3 * float(rng.uniform(1.0, 4.0))

    measured = measure_interleaved(Machine([1e-3]).runs(), SETTINGS, None, Reference(restless, 1.0))
    assert [one.noisy for one in measured] == [True]


@pytest.mark.parametrize("disturbed", [0, 1])
def test_a_disturbed_reference_does_not_make_candidates_faster(disturbed: int) -> None:
    class Slowed:
        """Takes 10 ms, and 22% longer in most samples of one attempt."""

        calls = 0

        def __call__(self, count: int) -> float:
            self.calls += 1
            slow = (self.calls > 18) == bool(disturbed) and self.calls % 5 < 3
            return count * 1e-2 * (1.22 if slow else 1.0)

    class Restless:
        """Takes 5 ms, and 20% longer in every other sample."""

        calls = 0

        def __call__(self, count: int) -> float:
            self.calls += 1
            return count * 5e-3 * (1.2 if self.calls % 2 else 1.0)

    settings = TimingSettings(seconds=1e-3, min_repeats=15, max_repeats=15, attempts=2)
    runs: list[timing.Run] = [lambda count: count * 2e-3, Restless()]
    steady, noisy = measure_interleaved(runs, settings, None, Reference(Slowed(), 10.0))
    assert steady.median_ms == pytest.approx(2.0)
    assert not steady.noisy
    assert noisy.median_ms >= 4.9


class Caches:
    """Networks that are slow for some passes after another one ran."""

    def __init__(self, cold_passes: int) -> None:
        self.now, self.last, self.since, self.cold_passes = 0.0, "", 0, cold_passes
        self.passes: list[str] = []

    def pass_of(self, name: str, seconds: float) -> None:
        self.since = self.since + 1 if self.last == name else 0
        self.last = name
        self.passes.append(name)
        self.now += seconds * (1.6 if self.since < self.cold_passes else 1.0)


@pytest.mark.parametrize("cold_passes", [1, 3, 5])
def test_passes_with_cold_caches_are_not_timed(cold_passes: int) -> None:
    machine = Caches(cold_passes)
    clock = Clock("made up", lambda: machine.now)

    def run_of(name: str, seconds: float) -> Run:
        return lambda count: timed_passes(lambda: machine.pass_of(name, seconds), count, clock, lambda: None)

    runs = [run_of("a", 1e-3), run_of("b", 2e-3)]
    assert [one.median_ms for one in measure_interleaved(runs, SETTINGS)] == pytest.approx([1.0, 2.0])


def test_long_passes_are_warmed_up_once() -> None:
    machine = Caches(1)
    clock = Clock("made up", lambda: machine.now)
    assert timed_passes(lambda: machine.pass_of("a", 0.2), 2, clock, lambda: None) == pytest.approx(0.4)
    assert len(machine.passes) == 3

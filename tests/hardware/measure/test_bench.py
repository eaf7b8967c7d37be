"""Measuring on this machine: once only, and without a trace on the process that asked for it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from surrogate_nas.errors import MeasurementError, SettingsError
from surrogate_nas.hardware.measure.bench import Bench, Candidate
from surrogate_nas.hardware.measure.timing import Run
from surrogate_nas.hardware.settings import HardwareSettings
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space


class Counting:
    """Builds convolutions and counts how many it was asked for."""

    def __init__(self) -> None:
        self.built = 0

    def __call__(self) -> nn.Module:
        self.built += 1
        return nn.Conv2d(2, 2, 1)


def candidates(build: Counting, *names: str) -> dict[str, Candidate]:
    return dict.fromkeys(names, (build, (2, 4, 4)))


def test_a_candidate_is_measured_once_on_a_machine(space: Space, network: NetworkSpec, quick: HardwareSettings) -> None:
    build = Counting()
    first = Bench(space, network, quick).measure("parts", candidates(build, "a", "b"))
    second = Bench(space, network, quick).measure("parts", candidates(build, "b", "c", "a"))
    assert build.built == 3
    assert list(second) == ["b", "c", "a"]
    assert {name: second[name] for name in first} == first


def test_measuring_again_replaces_the_old_but_only_once_in_a_run(
    space: Space, network: NetworkSpec, quick: HardwareSettings
) -> None:
    build = Counting()
    again = quick.model_copy(update={"remeasure": True})
    Bench(space, network, quick).measure("parts", candidates(build, "a", "b"))
    bench = Bench(space, network, again)
    new = bench.measure("parts", candidates(build, "a"))
    assert bench.measure("parts", candidates(build, "a")) == new
    assert build.built == 3
    assert set(bench.cache.read()) == {"a", "b", "reference"}
    assert Bench(space, network, quick).measure("parts", candidates(build, "a")) == new


@pytest.mark.parametrize("change", [{"batch": 2}, {"threads": 2}, {"precision": "int8"}])
def test_other_settings_share_no_measurement(
    space: Space, network: NetworkSpec, quick: HardwareSettings, change: dict[str, object]
) -> None:
    build = Counting()
    Bench(space, network, quick).measure("parts", candidates(build, "a"))
    Bench(space, network, quick.model_copy(update=change)).measure("parts", candidates(build, "a"))
    assert build.built == 2


def test_neither_threads_nor_random_draws_of_the_caller_change(
    space: Space, network: NetworkSpec, quick: HardwareSettings
) -> None:
    threads = torch.get_num_threads()
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    Bench(space, network, quick.model_copy(update={"threads": threads + 1})).measure(
        "parts", candidates(Counting(), "a")
    )
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == threads


def test_a_candidate_that_cannot_run_is_an_error_that_says_why(
    space: Space, network: NetworkSpec, quick: HardwareSettings, cache: Path
) -> None:
    def fail(_: Tensor) -> Tensor:
        raise RuntimeError("the device burns\nwith details")

    threads, eager = torch.get_num_threads(), quick.model_copy(update={"backend": "eager"})
    with pytest.raises(MeasurementError, match=r"latency was measured: the device burns$"):
        Bench(space, network, eager).measure("parts", {"a": (lambda: fail, (2, 4, 4))})
    assert torch.get_num_threads() == threads
    assert not cache.exists()


def test_memory_that_does_not_suffice_comes_with_a_remedy(
    space: Space, network: NetworkSpec, quick: HardwareSettings
) -> None:
    def build() -> nn.Module:
        raise torch.OutOfMemoryError("no room")

    with pytest.raises(MeasurementError, match="1 parts do not fit in the memory of cpu; use a smaller batch"):
        Bench(space, network, quick).measure("parts", {"a": (build, (2, 4, 4))})


def test_a_device_that_is_not_there_is_refused(space: Space, network: NetworkSpec) -> None:
    with pytest.raises(SettingsError, match="got 'tpu'"):
        Bench(space, network, HardwareSettings(device="tpu"))


def test_progress_ends_complete(space: Space, network: NetworkSpec, quick: HardwareSettings) -> None:
    seen: list[tuple[str, int, int]] = []
    Bench(space, network, quick).measure(
        "parts", candidates(Counting(), "a"), lambda what, done, total: seen.append((what, done, total))
    )
    assert seen[-1][0] == "parts"
    assert seen[-1][1] == seen[-1][2] > 0


class MovingBench(Bench):
    """A bench on a machine that becomes slower or faster as a test decides."""

    slowness = 1.0

    def _run(self, forward: Callable[[Tensor], Tensor], example: Tensor) -> Run:  # noqa: ARG002 - times nothing
        seconds = 1e-3 if isinstance(forward, nn.Conv2d) else 2e-3
        return lambda count: count * seconds * self.slowness


@pytest.mark.parametrize("slowness", [1.3, 0.8])
def test_latencies_are_of_the_time_of_the_first_measurement(
    space: Space, network: NetworkSpec, quick: HardwareSettings, slowness: float
) -> None:
    build = Counting()
    before = MovingBench(space, network, quick)
    first = before.measure("parts", candidates(build, "a"))["a"]
    assert before.reference_ms == pytest.approx(2.0)
    later = MovingBench(space, network, quick)
    later.slowness = slowness
    second = later.measure("parts", candidates(build, "b"))["b"]
    assert second.median_ms == pytest.approx(first.median_ms) == pytest.approx(1.0)
    assert later.reference_ms == before.reference_ms
    anew = MovingBench(space, network, quick.model_copy(update={"remeasure": True}))
    anew.slowness = slowness
    assert anew.measure("parts", candidates(build, "a"))["a"].median_ms == pytest.approx(slowness)
    assert MovingBench(space, network, quick).reference_ms == pytest.approx(2.0 * slowness)


def test_one_process_stays_in_its_scale(space: Space, network: NetworkSpec, quick: HardwareSettings) -> None:
    build = Counting()
    first = MovingBench(space, network, quick)
    known = first.measure("parts", candidates(build, "a"))["a"]
    other = MovingBench(space, network, quick.model_copy(update={"remeasure": True}))
    other.slowness = 2.0  # from now on, milliseconds of the cache are of a slower machine
    other.measure("parts", candidates(build, "b"))
    assert other.reference_ms == pytest.approx(4.0)
    later = first.measure("parts", candidates(build, "a", "b", "c"))
    assert later["a"] == known
    assert [later[name].median_ms for name in "bc"] == pytest.approx([1.0, 1.0])
    assert first.reference_ms == pytest.approx(2.0)
    newest = MovingBench(space, network, quick).measure("parts", candidates(build, "c"))["c"]
    assert newest.median_ms == pytest.approx(2.0)


def noticing_noise(quick: HardwareSettings) -> HardwareSettings:
    timing = quick.timing.model_copy(update={"min_repeats": 10, "max_repeats": 10, "noise": 0.02})
    return quick.model_copy(update={"timing": timing})


def test_a_noisy_reference_does_not_replace_a_calm_one(
    space: Space, network: NetworkSpec, quick: HardwareSettings
) -> None:
    build = Counting()
    quick = noticing_noise(quick)
    first = MovingBench(space, network, quick).measure("parts", candidates(build, "a"))["a"]
    again = MovingBench(space, network, quick.model_copy(update={"remeasure": True}))
    rng = np.random.default_rng(0)
    again._run = lambda *_: lambda count: count * 5e-3 * float(rng.uniform(1.0, 1.2))  # type: ignore[method-assign]
    # As slow as the reference is now, so as slow as it was.
    assert again.measure("parts", candidates(build, "a", "b"))["b"].median_ms == pytest.approx(2.0, rel=0.2)
    assert again.reference_ms == pytest.approx(2.0)
    assert MovingBench(space, network, quick).measure("parts", candidates(build, "a"))["a"] == first


def test_a_noisy_reference_is_measured_again_by_the_next_run(
    space: Space, network: NetworkSpec, quick: HardwareSettings
) -> None:
    build = Counting()
    quick = noticing_noise(quick)
    busy = MovingBench(space, network, quick)
    rng = np.random.default_rng(0)
    steady = busy._run

    def run(forward: Callable[[Tensor], Tensor], example: Tensor) -> Run:
        one = steady(forward, example)
        return one if isinstance(forward, nn.Conv2d) else lambda count: one(count) * float(rng.uniform(1.2, 1.4))

    busy._run = run  # type: ignore[method-assign]
    first = busy.measure("parts", candidates(build, "a"))["a"]
    assert first.noisy
    doubted = busy.reference_ms
    assert doubted is not None
    assert doubted > 2.3
    calm = MovingBench(space, network, quick)
    kept = calm.measure("parts", candidates(build, "a"))["a"]
    assert calm.reference_ms == pytest.approx(2.0)
    assert kept.median_ms == pytest.approx(first.median_ms * 2 / doubted)
    both = calm.measure("parts", candidates(build, "a", "c"))
    assert both["a"] == kept
    assert both["c"].median_ms == pytest.approx(1.0)
    assert not both["c"].noisy

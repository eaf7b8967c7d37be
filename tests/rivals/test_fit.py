"""Rivals are fitted to counted and to measured budgets, with few measurements, and ordered by family."""

from collections.abc import Mapping, Sequence

import pytest

from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.rivals.fit import MOST_MEASUREMENTS, FittedRival, Measure, Terms, by_strength, fit_rivals
from surrogate_nas.rivals.rival import Interface
from surrogate_nas.rivals.rival_network import Counts, RivalNetwork, count_rival
from surrogate_nas.rivals.table import RIVALS

SMALL = Interface(1, 8, 10)
NAMES = ("resnet20", "shufflenet_v2", "squeezenet1_1")


def terms(counted: Mapping[str, float] | None = None, latency_ms: float | None = None, seconds: float = 100.0) -> Terms:
    return Terms(SMALL, counted or {}, latency_ms, 1e-6, seconds)


def latency(milliseconds: float) -> Measurement:
    return Measurement(milliseconds, 0.0, 10, 0, False, "2026-01-01T00:00:00+00:00")


class Machine:
    """A machine on which a network takes a microsecond for each thousand multiply-accumulates, and a while for each."""

    def __init__(self, broken: str = "") -> None:
        self.rounds: list[list[str]] = []
        self._broken = broken

    def measure(self, networks: Sequence[RivalNetwork]) -> dict[str, Measurement]:
        self.rounds.append([one.key for one in networks])
        return {one.key: latency(0.05 + count_rival(one).flops / 1e6) for one in networks if one.name != self._broken}


def fit(asked: Terms, measure: Measure | None = None, names: Sequence[str] = NAMES) -> dict[str, FittedRival]:
    return {one.network.name: one for one in fit_rivals(names, asked, measure, lambda *_: None)}


@pytest.mark.slow
@pytest.mark.parametrize("cost", ["params", "flops", "memory_bytes"])
def test_a_counted_budget_gets_the_largest_width(cost: str) -> None:
    limit = 1.01 * getattr(count_rival(RivalNetwork("resnet20", 0.5, SMALL)), cost)
    found = fit(terms({cost: limit}))["resnet20"]
    assert found.fits
    widths = RIVALS["resnet20"].widths
    assert getattr(found.counts, cost) <= limit
    wider = RivalNetwork("resnet20", widths[widths.index(found.network.width) + 1], SMALL)
    assert getattr(count_rival(wider), cost) > limit


def test_a_budget_below_the_smallest_is_said() -> None:
    found = fit(terms({"params": 100_000.0}))
    assert found["resnet20"].fits
    assert found["squeezenet1_1"].reason == "over the budget: parameters 726 K"
    assert found["shufflenet_v2"].reason == "over the budget at its smallest width: parameters 352 K"
    assert found["shufflenet_v2"].network.width == 0.5


def test_a_latency_gets_the_largest_measured_width_in_few_rounds() -> None:
    machine = Machine()
    found = fit(terms(latency_ms=1.2), machine.measure)["resnet20"]
    measured = [key for keys in machine.rounds for key in keys]
    assert len(measured) == len(set(measured)), "no width is measured twice"
    assert len(machine.rounds) <= MOST_MEASUREMENTS
    assert found.fits
    assert found.latency is not None
    assert found.latency.median_ms <= 1.2
    widths = RIVALS["resnet20"].widths
    wider = RivalNetwork("resnet20", widths[widths.index(found.network.width) + 1], SMALL)
    assert machine.measure([wider])[wider.key].median_ms > 1.2


def test_both_kinds_of_budgets_hold_together() -> None:
    params = 1.01 * count_rival(RivalNetwork("resnet20", 0.5, SMALL)).params
    found = fit(terms({"params": params}, 100.0), Machine().measure)["resnet20"]
    assert found.network.width == 0.5
    assert fit(terms({"params": params}, 0.3), Machine().measure)["resnet20"].network.width < 0.5


def test_without_a_bound_on_it_a_latency_is_measured_once() -> None:
    machine = Machine()
    found = fit(terms({"params": 1e6}), machine.measure)
    assert [len(keys) for keys in machine.rounds] == [3]
    assert found["resnet20"].latency is not None


def test_without_any_bound_rivals_have_their_usual_width() -> None:
    assert {one.network.width for one in fit(terms()).values()} == {1.0}


def test_a_rival_that_cannot_be_run_does_not_stop_the_others() -> None:
    found = fit(terms(latency_ms=100.0), Machine("shufflenet_v2").measure)
    assert found["shufflenet_v2"].reason == "could not be run for its latency"
    assert found["resnet20"].fits


def test_a_rival_that_cannot_take_the_images_is_skipped_with_the_reason() -> None:
    asked = Terms(Interface(3, 2, 10), {}, 1.0, 1e-6, 100.0)
    found = fit(asked, Machine().measure, ["squeezenet1_1"])["squeezenet1_1"]
    assert found.reason == "SqueezeNet 1.1 cannot take images of 2x2 pixels"
    assert found.counts is None


def test_after_its_time_no_further_width_is_measured() -> None:
    machine = Machine()
    fit(terms(latency_ms=0.4, seconds=1e-9), machine.measure)
    assert len(machine.rounds) == 2


def test_the_strongest_of_each_family_come_first() -> None:
    def of(name: str, flops: int, reason: str = "") -> FittedRival:
        return FittedRival(RivalNetwork(name, 1.0, SMALL), Counts(1, flops, 1), None, reason)

    some = [
        of("resnet20", 10),
        of("resnet32", 40),
        of("resnet44", 30),
        of("mobilenet_v2", 20),
        of("resnet18", 99, "no"),
    ]
    names = [one.network.name for one in by_strength(some)]
    assert names == ["resnet32", "mobilenet_v2", "resnet44", "resnet20"]

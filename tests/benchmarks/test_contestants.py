"""The networks that compete are of the budgets."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import nn

from benchmarks.contestants import drawn, sized
from surrogate_nas.hardware.cost_models import CompositeCosts
from surrogate_nas.hardware.counted.analytic import AnalyticCosts
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.rivals.rival import Interface
from surrogate_nas.space.load import load_space

SPACE = load_space("quick_widths")
NETWORK = sized(SPACE, Interface(3, 8, 2))


class Milliseconds(AnalyticCosts):
    """Takes a thousand multiply-accumulates for a millisecond."""

    names = ("latency_ms",)

    def evaluate(self, codes: ArrayLike) -> dict[str, NDArray[np.float64]]:
        return {"latency_ms": super().evaluate(codes)["flops"] / 1e3}


class Slower(CompositeCosts):
    """Every network measures a tenth longer than predicted."""

    def measure_modules(self, builders: Mapping[str, Callable[[], nn.Module]]) -> dict[str, Measurement]:
        codes = {key: SPACE.parse(key.removeprefix(f"{SPACE.name}-")) for key in builders}
        return {key: measured(1.1e-3 * float(SPACE.flops([code], NETWORK)[0])) for key, code in codes.items()}


def measured(milliseconds: float) -> Measurement:
    return Measurement(milliseconds, 0.0, 5, 0, noisy=False, measured_at="")


def test_the_largest_of_some_drawn_networks_competes_if_it_keeps_the_budget_as_measured() -> None:
    costs = Slower([Milliseconds(SPACE, NETWORK)])
    codes = SPACE.all_codes()
    flops = np.sort(SPACE.flops(codes, NETWORK))
    middle = float(flops[len(flops) // 2])
    limits = [middle / 1e3, float(flops[0] - 1) / 1e3, float(flops[0]) / 1e3]
    (one,) = drawn(SPACE, NETWORK, costs, limits, seed=0)  # nothing keeps the second budget, nor the third as measured
    assert one.budget == 0
    assert 0.7 * middle < 1.1 * one.flops <= middle
    assert one.role == "quick_widths: largest of 100 drawn"

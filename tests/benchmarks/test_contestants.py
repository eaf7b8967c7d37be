"""The networks that compete are of the budgets."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmarks.contestants import drawn, sized
from surrogate_nas.hardware.cost_models import CompositeCosts
from surrogate_nas.hardware.counted.analytic import AnalyticCosts
from surrogate_nas.rivals.rival import Interface
from surrogate_nas.space.load import load_space

SPACE = load_space("quick_widths")
NETWORK = sized(SPACE, Interface(3, 8, 2))


class Milliseconds(AnalyticCosts):
    """Takes a thousand multiply-accumulates for a millisecond."""

    names = ("latency_ms",)

    def evaluate(self, codes: ArrayLike) -> dict[str, NDArray[np.float64]]:
        return {"latency_ms": super().evaluate(codes)["flops"] / 1e3}


def test_the_largest_of_some_drawn_networks_competes() -> None:
    costs = CompositeCosts([Milliseconds(SPACE, NETWORK)])
    codes = SPACE.all_codes()
    flops = np.sort(SPACE.flops(codes, NETWORK))
    limits = [float(flops[len(flops) // 2]) / 1e3, float(flops[0] - 1) / 1e3]
    (one,) = drawn(SPACE, NETWORK, costs, limits, seed=0)  # nothing keeps the second budget
    assert one.budget == 0
    assert one.flops <= limits[0] * 1e3
    assert one.flops >= flops[len(flops) // 2 - 5]
    assert one.role == "quick_widths: largest of 100 drawn"

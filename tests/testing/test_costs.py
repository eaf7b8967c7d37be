"""The kit finds planted faults; ``tests/hardware/test_protocol.py`` runs every cost model through it."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.hardware.counted.analytic import AnalyticCosts
from surrogate_nas.space.load import load_space
from surrogate_nas.testing import costs
from surrogate_nas.testing.costs import COST_CHECKS, CostCheck

SPACE = load_space("quick")


class Zero(AnalyticCosts):
    def evaluate(self, codes: ArrayLike) -> dict[str, NDArray[np.float64]]:
        return {name: 0 * values for name, values in super().evaluate(codes).items()}


class Ranks(AnalyticCosts):
    def evaluate(self, codes: ArrayLike) -> dict[str, NDArray[np.float64]]:
        return {name: values / max(values, default=1.0) for name, values in super().evaluate(codes).items()}


class Overconfident(AnalyticCosts):
    def relative_error(self, cost: str) -> float:
        return (super().relative_error(cost) or 0.0) - 0.1


class Mute(AnalyticCosts):
    def describe(self) -> dict[str, Any]:
        return {name: {"kind": np.float64} for name in self.names}


class Careless(AnalyticCosts):
    def evaluate(self, codes: ArrayLike) -> dict[str, NDArray[np.float64]]:
        return {name: np.ones(len(np.asarray(codes))) for name in self.names}


@pytest.mark.parametrize("check", COST_CHECKS, ids=lambda check: check.__name__)
def test_counted_costs_conform(check: CostCheck) -> None:
    check(AnalyticCosts(SPACE, SPACE.network), SPACE)


@pytest.mark.parametrize(
    ("kind", "check", "rule"),
    [
        (Zero, costs.check_values, "is finite and above zero"),
        (Ranks, costs.check_each_alone, "is the same among others and alone"),
        (Overconfident, costs.check_errors, "is at least 0 .got -0.1."),
        (Mute, costs.check_description, "a description is JSON"),
        (Careless, costs.check_wrong_codes, "of another space is refused with a SpaceError"),
    ],
)
def test_a_planted_fault_is_found(kind: type[AnalyticCosts], check: CostCheck, rule: str) -> None:
    with pytest.raises(AssertionError, match=rule):
        check(kind(SPACE, SPACE.network), SPACE)


def test_every_check_is_in_the_list() -> None:
    assert {check.__name__ for check in COST_CHECKS} == {name for name in vars(costs) if name.startswith("check_")}

"""Costs of the project are cost models of the protocol without inheriting."""

from surrogate_nas.costs.protocol import CostModel
from surrogate_nas.hardware.counted.analytic import AnalyticCosts
from surrogate_nas.space.load import load_space


def test_counted_costs_are_a_cost_model() -> None:
    space = load_space("quick")
    model: CostModel = AnalyticCosts(space, space.network)
    codes = space.all_codes()
    assert set(model.evaluate(codes)) == set(model.names)
    assert all(values.shape == (len(codes),) for values in model.evaluate(codes).values())

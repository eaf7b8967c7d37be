"""Counts, and what planned networks make of them."""

from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.confidence import upper_error
from surrogate_nas.hardware.planned.device_bytes import DeviceBytes
from surrogate_nas.hardware.planned.device_memory import CountedMemory, PlannedMemory
from surrogate_nas.hardware.planned.plan_bench import PlanBench
from surrogate_nas.space.load import load_space
from surrogate_nas.testing.costs import COST_CHECKS, CostCheck
from tests.hardware.planned.known_planner import SETTINGS, use_known_planner

SPACE = load_space("quick")
COUNT = DeviceBytes(SPACE, SPACE.network, "int8")


def planned(networks: int = 12) -> PlannedMemory:
    return PlannedMemory(SPACE, COUNT, PlanBench(SPACE, SPACE.network, SETTINGS), networks=networks, seed=0)


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    use_known_planner(monkeypatch)


@pytest.mark.parametrize("check", COST_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("kind", ["counted", "planned"])
def test_both_are_cost_models(check: CostCheck, kind: str) -> None:
    check(CountedMemory(SPACE, COUNT) if kind == "counted" else planned(), SPACE)


def test_predictions_are_near_the_plans_of_networks_that_the_fit_has_not_seen() -> None:
    model, codes = planned(), SPACE.sample(20, np.random.default_rng(5))
    plans = np.array(model.plan_architectures(codes), dtype=np.float64)
    counted, predicted = CountedMemory(SPACE, COUNT).evaluate(codes), model.evaluate(codes)
    for place, cost in enumerate(("ram_bytes", "flash_bytes")):
        errors = np.abs(predicted[cost] / plans[:, place] - 1)
        assert np.median(errors) < 0.02 < np.median(np.abs(counted[cost] / plans[:, place] - 1))
        bound = 1 + upper_error(model.held_out_errors(cost), 0.95)
        assert np.mean(plans[:, place] <= bound * predicted[cost]) >= 0.9
    assert model.describe()["ram_bytes"]["networks_planned"] == 12


def test_the_choice_follows_from_the_seed_and_reaches_both_ends(cache: Path) -> None:
    first = planned()
    kept = sorted(cache.glob("plan-*.json"))
    assert planned().evaluate(SPACE.all_codes()[[5]]) == first.evaluate(SPACE.all_codes()[[5]])
    assert sorted(cache.glob("plan-*.json")) == kept
    plans = PlanBench(SPACE, SPACE.network, SETTINGS).cache.read()
    assert len(plans) == 12
    codes = np.unique(SPACE.effective(SPACE.all_codes()[SPACE.is_connected(SPACE.all_codes())]), axis=0)
    ram = CountedMemory(SPACE, COUNT).evaluate(codes)["ram_bytes"]
    for end in (ram.argmin(), ram.argmax()):
        assert ram[end] in CountedMemory(SPACE, COUNT).evaluate([SPACE.parse(one) for one in plans])["ram_bytes"]


def test_a_cost_that_another_model_has_is_left_out() -> None:
    model = CountedMemory(SPACE, COUNT, ("flash_bytes",))
    assert model.names == ("flash_bytes",) == tuple(model.evaluate(SPACE.all_codes()[[3]]))
    with pytest.raises(SettingsError, match="unknown cost 'ram_bytes'; choose from flash_bytes"):
        model.relative_error("ram_bytes")

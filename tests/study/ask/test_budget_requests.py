"""Budgets on several devices, and other budgets."""

from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.costs.budget import Budget, BudgetRequests, parse_budget
from surrogate_nas.costs.settings import BudgetSettings
from surrogate_nas.errors import BudgetError, CostTableError
from surrogate_nas.hardware.cost_models import CompositeCosts
from surrogate_nas.hardware.settings import HardwareSettings
from surrogate_nas.hardware.tables.partial import read_latencies
from surrogate_nas.hardware.tables.stored import StoredCosts, read_costs, tabulate, write_costs
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.space.load import load_space
from surrogate_nas.space.pool import Pool, whole_pool
from surrogate_nas.space.space import Space
from surrogate_nas.study.ask.budget_requests import also_requests, with_devices
from surrogate_nas.study.ask.own_device import on_own_device


@pytest.fixture(scope="module")
def space() -> Space:
    return load_space("nasbench201")


@pytest.fixture(scope="module")
def table(space: Space, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tables") / "latency.csv"
    lines = [f"{code},{1 + row % 7},{2 + row % 5}" for row, code in enumerate(space.digits(space.all_codes()))]
    path.write_text("code,phone,board\n" + "\n".join(lines) + "\n")
    return path


def test_a_device_adds_a_cost_of_its_own(space: Space, table: Path) -> None:
    settings = HardwareSettings(latency_table=str(table), device="phone")
    own = StoredCosts(whole_pool(space), {"latency_ms": np.ones(space.size)}, {"latency_ms": None}, {"latency_ms": {}})
    requests = [
        on_own_device(one, settings) for one in BudgetRequests.parse("latency_ms", "phone=5ms, board=3ms").requests
    ]
    assert [request.cost for request in requests] == ["latency_ms", "latency_ms[board]"]
    costs = with_devices(own, requests, settings)
    assert costs.names == ("latency_ms", "latency_ms[board]")
    values = costs.evaluate(space.all_codes())["latency_ms[board]"]
    assert values[:6].tolist() == [2, 3, 4, 5, 6, 2]
    assert with_devices(own, requests[:1], settings) is own
    assert str(requests[1].resolve(values)) == "latency on board at most 3 ms"


def test_devices_of_a_large_chain_are_known_beyond_the_pool(tmp_path: Path) -> None:
    chain, rng = load_space("fbnet"), np.random.default_rng(0)
    codes = chain.sample(150, rng)
    phone, board = 5 + codes @ np.ones(22), 9 + codes @ np.arange(22)
    path = tmp_path / "two.csv"
    rows = zip(chain.digits(codes), phone, board, strict=True)
    path.write_text("code,phone,board\n" + "".join(f"{code},{one},{other}\n" for code, one, other in rows))
    settings = HardwareSettings(latency_table=str(path), device="phone")
    own = tabulate(Pool(chain, codes[:50], complete=False, uniform=0), read_latencies(chain, path, "phone"))
    model = CompositeCosts([read_latencies(chain, path, "phone")])
    costs = with_devices(own, [parse_budget("latency_ms", "board=200ms")], settings, model)
    others = chain.sample(20, rng)
    found = costs.evaluate(others)
    np.testing.assert_allclose(found["latency_ms"], 5 + others @ np.ones(22), rtol=0.02)
    np.testing.assert_allclose(found["latency_ms[board]"], 9 + others @ np.arange(22), rtol=0.02)
    assert len(costs.held_out_errors("latency_ms[board]")) == 150
    # A run that goes on has the column, and reads it again for what it has not seen.
    write_costs(tmp_path / "costs.parquet", chain.network, costs)
    before = read_costs(tmp_path / "costs.parquet", chain, chain.network)
    kept = before.only(["latency_ms"]).over(own.pool, model)
    again = with_devices(kept, [parse_budget("latency_ms", "board=200ms")], settings, model).evaluate(others)
    np.testing.assert_allclose(again["latency_ms[board]"], found["latency_ms[board]"])
    assert costs.describe()["latency_ms[board]"]["device"] == "board"


def test_what_cannot_be_known_is_said(space: Space, table: Path) -> None:
    own = StoredCosts(whole_pool(space), {"latency_ms": np.ones(space.size)}, {}, {})
    asked = [parse_budget("latency_ms", "watch=5ms")]
    with pytest.raises(BudgetError, match="needs a latency table with a column of that name"):
        with_devices(own, asked, HardwareSettings())
    with pytest.raises(CostTableError, match="watch"):
        with_devices(own, asked, HardwareSettings(latency_table=str(table)))


def test_ram_on_another_device_comes_from_its_column(space: Space, tmp_path: Path) -> None:
    path = tmp_path / "memory.csv"
    lines = [f"{code},1.5,{2 + row % 5},{1000 + row}" for row, code in enumerate(space.digits(space.all_codes()))]
    path.write_text("code,phone,board,board_ram_bytes\n" + "\n".join(lines) + "\n")
    own = StoredCosts(whole_pool(space), {"latency_ms": np.ones(space.size)}, {"latency_ms": None}, {"latency_ms": {}})
    settings = HardwareSettings(latency_table=str(path), device="phone")
    costs = with_devices(own, [parse_budget("ram_bytes", "board=2KB")], settings)
    assert costs.names == ("latency_ms", "ram_bytes[board]")
    assert costs.evaluate(space.all_codes()[:2])["ram_bytes[board]"].tolist() == [1000, 1001]
    assert with_devices(costs, [parse_budget("ram_bytes", "board=2KB")], settings) is costs
    changed = [line.rpartition(",")[0] + f",{2000 + row}" for row, line in enumerate(lines)]
    path.write_text("code,phone,board,board_ram_bytes\n" + "\n".join(changed) + "\n")
    with pytest.raises(CostTableError, match=r"memory\.csv: .* on board has changed since this run began; use another"):
        with_devices(costs, [parse_budget("ram_bytes", "board=2KB")], settings)
    with pytest.raises(BudgetError, match=r"--energy-budget names no other device \(got '5mJ'\)"):
        with_devices(own, [parse_budget("energy_mj", "board=5mJ")], settings)
    with pytest.raises(BudgetError, match=r"--flash-budget on board needs the column board_flash_bytes .*'2KB'"):
        with_devices(own, [parse_budget("flash_bytes", "board=2KB")], settings)


def test_other_budgets_are_read() -> None:
    settings = StudySettings.model_validate(
        {
            "name": "a",
            "budget": {"also": ["latency=3ms; flops=50M", "latency=phone=4ms"]},
            "hardware": {"device": "phone"},
        }
    )
    first, second = also_requests(settings)
    assert [request.cost for request in first] == ["latency_ms", "flops"]
    assert [(one.cost, one.limit) for one in second] == [("latency_ms", 4.0)]
    assert first[1].resolve(np.ones(3)) == Budget("flops", 5e7)
    both = BudgetSettings.model_validate({"also": ["latency=3ms; latency=phone=4ms"]})
    with pytest.raises(BudgetError, match="bounds one cost more than once"):
        also_requests(settings.model_copy(update={"budget": both}))

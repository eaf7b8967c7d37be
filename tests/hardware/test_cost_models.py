"""The cost models of a study as one."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.errors import CostTableError, SettingsError
from surrogate_nas.hardware.cost_models import (
    CompositeCosts,
    Planning,
    cost_model,
    costs_without_latency,
    with_device_memory,
)
from surrogate_nas.hardware.counted.analytic import AnalyticCosts
from surrogate_nas.hardware.settings import HardwareSettings
from surrogate_nas.hardware.tables.predicted import write_predicted
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space


@pytest.fixture
def table(space: Space, tmp_path: Path) -> HardwareSettings:
    lines = [f"{code},{1 + n / 100}" for n, code in enumerate(space.digits(space.all_codes()))]
    (tmp_path / "t.csv").write_text("\n".join(["code,phone", *lines]))
    return HardwareSettings(device="phone", latency_table=str(tmp_path / "t.csv"))


def test_measured_latency_comes_with_counted_costs(
    space: Space, network: NetworkSpec, quick: HardwareSettings, tmp_path: Path
) -> None:
    costs = cost_model(space, network, quick, seed=0, cache=tmp_path / "elsewhere")
    assert costs.names == ("latency_ms", "flops", "params", "memory_bytes")
    assert costs.relative_error("flops") == 0.0
    error = costs.relative_error("latency_ms")
    assert error is not None
    assert error > 0
    assert costs.can_measure
    assert len(costs.measure_architectures(space.sample(3, np.random.default_rng(0)))) == 3
    assert list((tmp_path / "elsewhere").glob("latency-*.json"))


def test_memory_of_a_table_in_another_unit_is_not_passed_over(
    space: Space, network: NetworkSpec, table: HardwareSettings, tmp_path: Path
) -> None:
    costs = cost_model(space, network, table, seed=0)
    assert with_device_memory(costs, space, network, table, Planning(0)).names[-2:] == ("ram_bytes", "flash_bytes")
    path = tmp_path / "t.csv"
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([f"{header},phone_ram_kb", *(f"{row},{5 + n % 3}" for n, row in enumerate(rows))]))
    costs = cost_model(space, network, table, seed=0)
    with pytest.raises(CostTableError, match=r"column phone_ram_kb: .* to bytes and call it phone_ram_bytes"):
        with_device_memory(costs, space, network, table, Planning(0))


def test_columns_of_memory_of_a_space_too_large_to_list_are_refused(tmp_path: Path) -> None:
    space = load_space("fbnet")
    codes = space.sample(40, np.random.default_rng(0))
    rows = [f"{code},{5 + row / 7},{9000 + row}" for row, code in enumerate(space.digits(codes))]
    (tmp_path / "t.csv").write_text("\n".join(["code,phone,phone_ram_bytes", *rows]))
    settings = HardwareSettings(device="phone", latency_table=str(tmp_path / "t.csv"))
    costs = cost_model(space, space.network, settings, seed=0)
    with pytest.raises(CostTableError, match=r"column phone_ram_bytes: fbnet is too large to list"):
        with_device_memory(costs, space, space.network, settings, Planning(0))


def test_costs_without_latency_can_still_measure(
    space: Space, network: NetworkSpec, quick: HardwareSettings, tmp_path: Path
) -> None:
    costs = costs_without_latency(space, network, quick, tmp_path / "elsewhere")
    codes = space.sample(2, np.random.default_rng(0))
    counted = AnalyticCosts(space, network)
    assert costs.names == counted.names
    np.testing.assert_array_equal(costs.evaluate(codes)["flops"], counted.evaluate(codes)["flops"])
    assert not (tmp_path / "elsewhere").exists()
    assert costs.describe()["latency_ms"]["kind"] == "measured networks alone"
    for asked in (costs.relative_error, costs.held_out_errors):
        with pytest.raises(SettingsError, match="unknown cost 'latency_ms'"):
            asked("latency_ms")
    assert costs.can_measure
    assert len(costs.measure_architectures(codes)) == 2
    assert list((tmp_path / "elsewhere").glob("latency-*.json"))


def test_a_table_takes_the_place_of_measuring(
    space: Space, network: NetworkSpec, table: HardwareSettings, cache: Path
) -> None:
    costs = cost_model(space, network, table, seed=0)
    assert costs.names == ("latency_ms", "flops", "params", "memory_bytes")
    assert costs.evaluate([[0, 0, 0, 0, 0, 4]])["latency_ms"] == 1.04
    assert costs.relative_error("latency_ms") is None
    assert costs.describe()["latency_ms"]["kind"] == "table"
    assert not costs.can_measure
    assert not cache.exists()
    with pytest.raises(SettingsError, match="latency comes from a table"):
        costs.measure_architectures([[0] * 6])


def test_unknown_devices_are_refused_with_what_there_is(
    space: Space, network: NetworkSpec, table: HardwareSettings
) -> None:
    with pytest.raises(SettingsError, match=r"one that this machine has, cpu.* \(got 'tpu'\)"):
        cost_model(space, network, HardwareSettings(device="tpu"), seed=0)
    with pytest.raises(CostTableError, match="unknown device 'cpu'; choose from the columns phone"):
        cost_model(space, network, table.model_copy(update={"device": "cpu"}), seed=0)


def test_a_table_of_networks_of_other_sizes_is_refused(space: Space, network: NetworkSpec, tmp_path: Path) -> None:
    path, values = tmp_path / "t.parquet", {"phone": 1 + np.arange(space.size, dtype=np.float64)}
    for sizes, good in ((network, True), (replace(network, cells=2), False)):
        write_predicted(path, space, values, {"phone": np.zeros(3)}, {"network": sizes.described()})
        settings = HardwareSettings(device="phone", latency_table=str(path))
        with nullcontext() if good else pytest.raises(CostTableError, match="measured on networks with cells 2"):
            cost_model(space, network, settings, seed=0)


def test_a_cost_has_one_source(space: Space, network: NetworkSpec) -> None:
    with pytest.raises(ValueError, match=r"one model \(got flops, params, memory_bytes, flops,"):
        CompositeCosts([AnalyticCosts(space, network)] * 2)

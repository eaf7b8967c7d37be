"""What every cost model must do, whichever it is."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.costs.cost import COSTS
from surrogate_nas.errors import SettingsError, SpaceError
from surrogate_nas.hardware.cost_models import cost_model
from surrogate_nas.hardware.counted.analytic import AnalyticCosts
from surrogate_nas.hardware.measure.bench import Bench
from surrogate_nas.hardware.measure.profile import ProfiledLatency
from surrogate_nas.hardware.protocol import CostSource, Measurable
from surrogate_nas.hardware.settings import HardwareSettings
from surrogate_nas.hardware.tables.full import TableLatency
from surrogate_nas.hardware.tables.stored import tabulate
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.pool import whole_pool
from surrogate_nas.space.space import Space

Make = Callable[[Space, NetworkSpec, HardwareSettings, Path], CostSource]


def from_table(space: Space, _network: NetworkSpec, _settings: HardwareSettings, folder: Path) -> CostSource:
    lines = [f"{code},{1 + n / 100}" for n, code in enumerate(space.digits(space.all_codes()))]
    (folder / "t.csv").write_text("\n".join(["code,phone", *lines]))
    return TableLatency(space, folder / "t.csv", "phone")


def profiled(space: Space, network: NetworkSpec, settings: HardwareSettings, _folder: Path) -> CostSource:
    return ProfiledLatency(space, network, Bench(space, network, settings), whole_networks=5, seed=0)


MODELS: dict[str, Make] = {
    "analytic": lambda space, network, _settings, _folder: AnalyticCosts(space, network),
    "table": from_table,
    "profiled": profiled,
    "composite": lambda space, network, settings, _folder: cost_model(space, network, settings, seed=0),
    "stored": lambda space, network, _settings, _folder: tabulate(whole_pool(space), AnalyticCosts(space, network)),
}


@pytest.fixture(params=MODELS)
def model(
    request: pytest.FixtureRequest, space: Space, network: NetworkSpec, quick: HardwareSettings, tmp_path: Path
) -> CostSource:
    return MODELS[request.param](space, network, quick, tmp_path)


class TestConformance:
    def test_costs_are_known_by_name_and_above_zero(self, model: CostSource, space: Space) -> None:
        codes = space.sample(30, np.random.default_rng(0))
        values = model.evaluate(codes)
        assert tuple(values) == model.names
        assert set(model.names) <= set(COSTS)
        for column in values.values():
            assert column.shape == (30,)
            assert column.dtype == np.float64
            assert (column > 0).all()
            assert np.isfinite(column).all()

    def test_each_architecture_is_valued_alone(self, model: CostSource, space: Space) -> None:
        codes = space.sample(10, np.random.default_rng(1))
        together = model.evaluate(codes)
        for name in model.names:
            alone = [float(model.evaluate(code[None])[name][0]) for code in codes]
            np.testing.assert_allclose(together[name], alone, rtol=1e-12)
            assert model.evaluate(codes[:0])[name].shape == (0,)

    def test_the_error_to_expect_is_stated_or_unknown(self, model: CostSource) -> None:
        for name in model.names:
            error = model.relative_error(name)
            assert error is None or error >= 0
        with pytest.raises(SettingsError, match=f"'energy_mj'; choose from {', '.join(model.names)}"):
            model.relative_error("energy_mj")

    def test_the_description_is_json_with_an_entry_per_cost(self, model: CostSource) -> None:
        described = json.loads(json.dumps(model.describe(), allow_nan=False))
        assert tuple(described) == model.names
        assert all({"kind", "notes"} <= set(entry) for entry in described.values())

    def test_codes_of_another_space_are_refused(self, model: CostSource) -> None:
        for wrong in ([[0, 1]], [[0, 0, 0, 0, 0, 9]]):
            with pytest.raises(SpaceError):
                model.evaluate(wrong)


def test_only_a_device_of_this_machine_can_be_measured(
    space: Space, network: NetworkSpec, quick: HardwareSettings, tmp_path: Path
) -> None:
    measurable = {
        name for name, make in MODELS.items() if isinstance(make(space, network, quick, tmp_path), Measurable)
    }
    assert measurable == {"profiled", "composite"}

"""Every cost model follows the protocol."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from surrogate_nas.errors import SettingsError
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
from surrogate_nas.testing.costs import COST_CHECKS, CostCheck

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


@pytest.fixture(scope="module", params=MODELS)
def model(
    request: pytest.FixtureRequest,
    space: Space,
    network: NetworkSpec,
    quick: HardwareSettings,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[CostSource]:
    folder = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SURROGATE_NAS_CACHE", str(folder / "cache"))
        yield MODELS[request.param](space, network, quick, folder)


@pytest.mark.parametrize("check", COST_CHECKS, ids=lambda check: check.__name__)
def test_every_cost_model_conforms(check: CostCheck, model: CostSource, space: Space) -> None:
    check(model, space)


def test_a_cost_that_a_model_does_not_know_is_refused(model: CostSource) -> None:
    with pytest.raises(SettingsError, match=f"'energy_mj'; choose from {', '.join(model.names)}"):
        model.relative_error("energy_mj")


def test_only_a_device_of_this_machine_can_be_measured(
    space: Space, network: NetworkSpec, quick: HardwareSettings, tmp_path: Path
) -> None:
    measurable = {
        name for name, make in MODELS.items() if isinstance(make(space, network, quick, tmp_path), Measurable)
    }
    assert measurable == {"profiled", "composite"}

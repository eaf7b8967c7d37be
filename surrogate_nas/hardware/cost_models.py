"""Combines the cost models of a study."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import nn

from surrogate_nas._processes.workers import Workers
from surrogate_nas._support.words import choose_from
from surrogate_nas.errors import CostTableError, SettingsError
from surrogate_nas.hardware.beside_pieces import CorrectedPieces
from surrogate_nas.hardware.counted.analytic import AnalyticCosts
from surrogate_nas.hardware.counted.memory import counts_memory
from surrogate_nas.hardware.measure.bench import Bench
from surrogate_nas.hardware.measure.piece_sums import PieceSums
from surrogate_nas.hardware.measure.profile import ProfiledLatency
from surrogate_nas.hardware.measure.whole_networks import WholeNetworks
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.hardware.planned.device_bytes import DeviceBytes
from surrogate_nas.hardware.planned.device_memory import NAMES, CountedMemory, PlannedMemory
from surrogate_nas.hardware.planned.plan_bench import PlanBench
from surrogate_nas.hardware.planned.planners import find_planner
from surrogate_nas.hardware.protocol import CostSource, Measurable, Plannable, Progress
from surrogate_nas.hardware.settings import HardwareSettings
from surrogate_nas.hardware.tables.device_columns import device_column, other_columns, require_named
from surrogate_nas.hardware.tables.partial import needs_pieces, read_latencies, read_rows, require_latencies
from surrogate_nas.hardware.tables.predicted import require_batch, require_numbers, require_sizes
from surrogate_nas.hardware.tables.text_columns import Columns, read_columns
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space


class CompositeCosts:
    """Several cost models as one.

    Args:
        models: Models of different costs.

    Raises:
        ValueError: If two of them know the same cost.
    """

    def __init__(self, models: Sequence[CostSource]) -> None:
        self._models = tuple(models)
        self.names: tuple[str, ...] = tuple(name for model in models for name in model.names)
        if len(set(self.names)) < len(self.names):
            raise ValueError(f"a cost must come from one model (got {', '.join(self.names)})")

    def joined(self, model: CostSource) -> "CompositeCosts":
        """Returns a model of these costs and of another model's."""
        return CompositeCosts([*self._models, model])

    def evaluate(self, codes: ArrayLike) -> dict[str, NDArray[np.float64]]:
        """Returns every cost, shape (N,), of codes (N, D)."""
        values: dict[str, NDArray[np.float64]] = {}
        for model in self._models:
            values |= model.evaluate(codes)
        return values

    def relative_error(self, cost: str) -> float | None:
        """Returns the median relative error to expect of a cost: 0 where it is exact, None where it is unknown.

        Raises:
            SettingsError: If no model knows the cost.
        """
        for model in self._models:
            if cost in model.names:
                return model.relative_error(cost)
        raise SettingsError(f"unknown cost {cost!r}; {choose_from(self.names, cost)}")

    def held_out_errors(self, cost: str) -> NDArray[np.float64]:
        """Returns measured / predicted - 1 of networks left out of the fit, shape (M,); empty without a prediction.

        Raises:
            SettingsError: If no model knows the cost.
        """
        for model in self._models:
            if cost in model.names:
                return model.held_out_errors(cost)
        raise SettingsError(f"unknown cost {cost!r}; {choose_from(self.names, cost)}")

    def describe(self) -> dict[str, Any]:
        """Returns where the values of each cost come from."""
        described: dict[str, Any] = {}
        for model in self._models:
            described |= model.describe()
        return described

    @property
    def can_measure(self) -> bool:
        """True if whole networks can be measured; False where latency comes from a table."""
        return any(isinstance(model, Measurable) for model in self._models)

    def measure_architectures(self, codes: ArrayLike) -> Sequence[Measurement]:
        """Returns the latency of each whole network on the device, for codes (N, D), in their order.

        Raises:
            SettingsError: If no model can measure; check ``can_measure`` first.
            MeasurementError: If a network cannot be run.
        """
        return self._measurable.measure_architectures(codes)

    def measure_modules(self, builders: Mapping[str, Callable[[], nn.Module]]) -> Mapping[str, Measurement]:
        """Returns the latency of networks that are none of the space; see ``Measurable``.

        Raises:
            SettingsError: If no model can measure; check ``can_measure`` first.
            MeasurementError: If a network cannot be built or run.
        """
        return self._measurable.measure_modules(builders)

    @property
    def can_plan(self) -> bool:
        """True if a planner gives the RAM and flash of whole networks."""
        return any(isinstance(model, Plannable) for model in self._models)

    def plan_architectures(
        self, codes: ArrayLike, on_progress: Progress | None = None
    ) -> dict[str, NDArray[np.float64]]:
        """Returns RAM and flash in bytes of each whole network, for codes (N, D), shape (N,) each, by cost.

        Empty where nothing plans. A cost that comes from a table is not among them.

        Raises:
            MeasurementError: If a network cannot be planned.
        """
        for model in self._models:
            if isinstance(model, Plannable):
                plans = np.array(model.plan_architectures(codes, on_progress), dtype=np.float64).reshape(-1, 2)
                return {name: plans[:, NAMES.index(name)] for name in model.names}
        return {}

    @property
    def _measurable(self) -> Measurable:
        for model in self._models:
            if isinstance(model, Measurable):
                return model
        raise SettingsError("latency comes from a table, so networks cannot be measured; set no latency table")


def cost_model(
    space: Space,
    network: NetworkSpec,
    settings: HardwareSettings,
    *,
    seed: int,
    cache: Path | None = None,
    on_progress: Progress | None = None,
) -> CompositeCosts:
    """Returns the model of latency, FLOPs and parameters of the deployed network.

    Measures what this machine has not measured before, or reads the latency table.

    Args:
        space: Search space.
        network: The deployed network.
        settings: Device, or table and column.
        seed: Seed of the choice of networks to measure as a whole.
        cache: Folder of measurements; None is the user's cache folder.
        on_progress: Called during measurements.

    Raises:
        SettingsError: If this machine has no such device, or it cannot compute in the precision.
        CostTableError: If the table is incomplete, has no such device, or is of another batch, or of networks of other
            sizes or numbers.
        MeasurementError: If a network cannot be run.
    """
    latency: CostSource
    if settings.latency_table is not None:
        path = Path(settings.latency_table)
        require_latencies(space, path, settings.device, settings.latency_unit)
        require_sizes(path, network)
        require_numbers(path, settings.numbers)
        require_batch(path, settings.batch)
        latency = _of_table(space, network, settings, cache, on_progress)
    else:
        latency = ProfiledLatency(
            space,
            network,
            Bench(space, network, settings, cache),
            whole_networks=settings.whole_networks,
            seed=seed,
            on_progress=on_progress,
        )
    return CompositeCosts([latency, AnalyticCosts(space, network, settings.precision)])


def _of_table(
    space: Space, network: NetworkSpec, settings: HardwareSettings, cache: Path | None, on_progress: Progress | None
) -> CostSource:
    """Returns the latencies of the settings' table; in some large spaces, pieces of networks are timed here for it."""
    path = Path(str(settings.latency_table))
    if not needs_pieces(space):
        return read_latencies(space, path, settings.device, settings.latency_unit)
    rows = read_rows(space, path, settings.device, settings.latency_unit)
    here = settings.model_copy(update={"device": "cpu", "latency_table": None})
    sums = PieceSums(space, network, Bench(space, network, here, cache), on_progress)
    return CorrectedPieces(space, path, rows, sums)


def costs_without_latency(
    space: Space, network: NetworkSpec, settings: HardwareSettings, cache: Path | None = None
) -> CompositeCosts:
    """Returns the model of FLOPs and parameters of the deployed network alone; whole networks can be measured.

    Nothing is measured before somebody asks for it.

    Args:
        space: Search space.
        network: The deployed network.
        settings: Device and precision.
        cache: Folder of measurements; None is the user's cache folder.

    Raises:
        SettingsError: If this machine has no such device, or it cannot compute in the precision.
    """
    measured = WholeNetworks(space, network, Bench(space, network, settings, cache))
    return CompositeCosts([measured, AnalyticCosts(space, network, settings.precision)])


@dataclass(frozen=True)
class Planning:
    """The way networks are planned.

    Attributes:
        seed: Seed of the choice of networks to plan.
        workers: Processes that plan; this one where None.
        cache: Folder of plans; None is the user's cache folder.
        on_progress: Called after every network.
    """

    seed: int
    workers: Workers | None = None
    cache: Path | None = None
    on_progress: Progress | None = None


def with_device_memory(
    costs: CompositeCosts, space: Space, network: NetworkSpec, settings: HardwareSettings, planning: Planning
) -> CompositeCosts:
    """Returns costs with the RAM and flash of the deployed network on a device, where they are not known yet.

    Plans what this machine has not planned before, or counts where the settings name no planner.

    Args:
        costs: Costs of the space, from a table perhaps with RAM and flash.
        space: Search space.
        network: The deployed network.
        settings: Planner, precision, and how many networks are planned.
        planning: Processes, cache and progress.

    Raises:
        CostTableError: If the latency table has them in another unit than a study reads.
        SettingsError: If the planner cannot be used here, or the space has operations whose memory is not known.
        MeasurementError: If a network cannot be planned.
    """
    names = [name for name in NAMES if name not in costs.names]
    row = find_planner(settings)
    if not names:
        return costs
    if settings.latency_table is not None:
        columns = read_columns(Path(settings.latency_table))
        require_named(columns, settings.device, names)
        _require_unread(space, columns, settings.device, names)
    if not counts_memory(space):
        raise SettingsError(
            f"RAM and flash of {space.name} are not known: its own operations stand in cells; give a latency table"
            " with columns of RAM and flash"
        )
    count = DeviceBytes(space, network, settings.precision)
    if row is None:
        return costs.joined(CountedMemory(space, count, names))
    planned = PlannedMemory(
        space,
        count,
        PlanBench(space, network, settings, planning.cache, planning.workers),
        networks=settings.whole_networks,
        seed=planning.seed,
        names=names,
        on_progress=planning.on_progress,
    )
    return costs.joined(planned)


def _require_unread(space: Space, columns: Columns, device: str, names: Sequence[str]) -> None:
    """Refuses columns of RAM and flash of a space too large to list: they are of some of its architectures alone."""
    if space.listable:
        return
    found = other_columns(columns, device_column(columns, device))
    for cost in (name for name in names if name in found):
        raise CostTableError(
            f"{columns.path}, column {found[cost]}: {space.name} is too large to list, so that RAM and flash are"
            " planned or counted, and columns of them are not read; remove the column"
        )

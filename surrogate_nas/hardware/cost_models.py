"""Combines the cost models of a study."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import nn

from surrogate_nas._support.words import choose_from
from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.counted.analytic import AnalyticCosts
from surrogate_nas.hardware.measure.bench import Bench
from surrogate_nas.hardware.measure.profile import ProfiledLatency
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.hardware.protocol import CostSource, Measurable, Progress
from surrogate_nas.hardware.settings import HardwareSettings
from surrogate_nas.hardware.tables.partial import read_latencies
from surrogate_nas.hardware.tables.predicted import require_sizes
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
        CostTableError: If the table is incomplete, has no such device, or is of networks of other sizes.
        MeasurementError: If a network cannot be run.
    """
    latency: CostSource
    if settings.latency_table is not None:
        latency = read_latencies(space, Path(settings.latency_table), settings.device, settings.latency_unit)
        require_sizes(Path(settings.latency_table), network)
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

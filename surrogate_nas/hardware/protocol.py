"""Protocols of the models that provide costs to a stage.

Costs have names (keys of ``COSTS`` in ``costs.cost``, which give title and unit) and belong to the deployed network.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import nn

from surrogate_nas.costs.protocol import CostModel
from surrogate_nas.hardware.measurement import Measurement

Progress = Callable[[str, int, int], None]
"""Called with the name of the work, its steps done, and its steps in total."""


class CostSource(CostModel, Protocol):
    """Cost model that takes any array of codes and reports its own accuracy."""

    def evaluate(self, codes: ArrayLike) -> dict[str, NDArray[np.float64]]:
        """Returns every cost of codes of shape (N, D), each of shape (N,).

        Raises:
            SpaceError: If the codes do not belong to the space.
        """
        ...

    def relative_error(self, cost: str) -> float | None:
        """Returns the median relative error to expect of a cost: 0 where it is exact, None where it is unknown.

        Raises:
            SettingsError: If the model does not know the cost.
        """
        ...

    def held_out_errors(self, cost: str) -> NDArray[np.float64]:
        """Returns measured / predicted - 1 of networks left out of the fit, shape (M,); empty without a prediction.

        Raises:
            SettingsError: If the model does not know the cost.
        """
        ...

    def describe(self) -> dict[str, Any]:
        """Returns the origin of each cost's values, as JSON takes it; always with a key ``kind``."""
        ...


@runtime_checkable
class Measurable(Protocol):
    """Cost model that can also measure whole architectures, such as the winners of a search."""

    def measure_architectures(self, codes: ArrayLike) -> Sequence[Measurement]:
        """Returns the latency of each whole network, for codes of shape (N, D), in their order.

        Raises:
            SpaceError: If the codes do not belong to the space.
            MeasurementError: If a network cannot be run.
        """
        ...

    def measure_modules(self, builders: Mapping[str, Callable[[], nn.Module]]) -> Mapping[str, Measurement]:
        """Returns the latency of networks that are none of the space but take the same images, measured in turns.

        Args:
            builders: Functions that build a network, by the names under which measurements are kept.

        Raises:
            MeasurementError: If a network cannot be built or run.
        """
        ...


@runtime_checkable
class Plannable(Protocol):
    """Cost model that can also plan the RAM and flash of whole architectures."""

    def plan_architectures(self, codes: ArrayLike, on_progress: Progress | None = None) -> Sequence[tuple[int, int]]:
        """Returns RAM and flash in bytes of each whole network, for codes of shape (N, D), in their order.

        Raises:
            SpaceError: If the codes do not belong to the space.
            MeasurementError: If a network cannot be planned.
        """
        ...

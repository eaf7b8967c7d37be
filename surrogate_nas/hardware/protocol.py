"""What a stage that needs costs asks of whatever knows them.

Costs are named (keys of ``COSTS`` in ``costs.cost``, which give title and unit) and are of the deployed network.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.costs.protocol import CostModel
from surrogate_nas.hardware.measurement import Measurement

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many steps of it are done, and how many there are."""


class CostSource(CostModel, Protocol):
    """A cost model that takes any array of codes and says how far to trust it."""

    def evaluate(self, codes: ArrayLike) -> dict[str, NDArray[np.float64]]:
        """Every cost of codes of shape (N, D), each of shape (N,).

        Raises:
            SpaceError: If the codes do not belong to the space.
        """
        ...

    def relative_error(self, cost: str) -> float | None:
        """Median relative error to expect of a cost: 0 where it is exact, None where nothing is known about it.

        Raises:
            SettingsError: If the model does not know the cost.
        """
        ...

    def held_out_errors(self, cost: str) -> NDArray[np.float64]:
        """Measured / predicted - 1 of networks left out of the prediction, shape (M,); empty without a prediction.

        Raises:
            SettingsError: If the model does not know the cost.
        """
        ...

    def describe(self) -> dict[str, Any]:
        """Per cost, where its values come from, as JSON takes it; always with a key ``kind``."""
        ...


@runtime_checkable
class Measurable(Protocol):
    """A cost model that can also measure architectures as a whole, such as the winners of a search."""

    def measure_architectures(self, codes: ArrayLike) -> Sequence[Measurement]:
        """Latency of each whole network, for codes of shape (N, D), in their order.

        Raises:
            SpaceError: If the codes do not belong to the space.
            MeasurementError: If a network cannot be run.
        """
        ...

"""Counts costs exactly on the deployed network: one row each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.counted.memory import activation_bytes, counts_memory
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Codes, Space


@dataclass(frozen=True)
class Count:
    """Definition of a counted cost.

    Attributes:
        count: Maps a space, effective codes of shape (N, D) and the deployed network to values of shape (N,).
        unit: Name of the counted unit.
        note: The parts that are counted and the parts that are not.
        known: Whether it can be counted in a space.
    """

    count: Callable[[Space, Codes, NetworkSpec], NDArray[np.integer]]
    unit: str
    note: str
    known: Callable[[Space], bool] = lambda _: True


COUNTED: dict[str, Count] = {
    "flops": Count(
        lambda space, codes, network: space.flops(codes, network),
        "multiply-accumulates per image",
        "convolutions and classifier; torch.utils.flop_counter counts each multiply-accumulate as 2",
    ),
    "params": Count(
        lambda space, codes, network: space.parameters(codes, network),
        "weights",
        "with the scale and shift of batch-norm",
    ),
    "memory_bytes": Count(
        activation_bytes,
        "bytes",
        "most feature maps alive at once in a forward pass of one image in float32, without weights",
        counts_memory,
    ),
}


class AnalyticCosts:
    """Counted costs of a space, without dead operations, which are never deployed.

    Args:
        space: Search space of the codes.
        network: The deployed network.
    """

    def __init__(self, space: Space, network: NetworkSpec) -> None:
        self._space = space
        self._network = network
        self.names: tuple[str, ...] = tuple(name for name, row in COUNTED.items() if row.known(space))

    def evaluate(self, codes: ArrayLike) -> dict[str, NDArray[np.float64]]:
        """Returns every counted cost of codes of shape (N, D), shape (N,) each."""
        effective = self._space.effective(codes)
        return {
            name: COUNTED[name].count(self._space, effective, self._network).astype(np.float64) for name in self.names
        }

    def relative_error(self, cost: str) -> float | None:
        """Returns 0: the counts are exact.

        Raises:
            SettingsError: If the cost is not counted here.
        """
        self._require(cost)
        return 0.0

    def held_out_errors(self, cost: str) -> NDArray[np.float64]:
        """Returns no errors: the counts are exact.

        Raises:
            SettingsError: If the cost is not counted here.
        """
        self._require(cost)
        return np.zeros(0)

    def describe(self) -> dict[str, Any]:
        """Returns the unit and the rules of each count."""
        rows = {name: COUNTED[name] for name in self.names}
        return {name: {"kind": "counted", "unit": row.unit, "notes": [row.note]} for name, row in rows.items()}

    def _require(self, cost: str) -> None:
        if cost not in self.names:
            raise SettingsError(f"unknown cost {cost!r}; choose from {', '.join(self.names)}")


def count_costs(space: Space, network: NetworkSpec | None = None) -> AnalyticCosts:
    """Returns the costs of a space that are counted: FLOPs, parameters and, where it is known, activation memory.

    Args:
        space: The search space.
        network: Sizes of the deployed network; the space's own unless given.

    Raises:
        SpaceError: If the sizes do not suit the space.

    Example:
        >>> from surrogate_nas import count_costs, load_space
        >>> space = load_space("quick")
        >>> costs = count_costs(space).evaluate(space.parse("1102")[None])
        >>> {name: int(values[0]) for name, values in costs.items()}
        {'flops': 24336, 'params': 1134, 'memory_bytes': 3840}
    """
    return AnalyticCosts(space, network or space.network)

"""Counts costs exactly on the deployed network: one row each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas._support.words import choose_from
from surrogate_nas.costs.number_formats import NUMBER_BYTES, Precision
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
        of_numbers: Whether it is the bytes of numbers, counted for float32, of which int8 takes a quarter.
    """

    count: Callable[[Space, Codes, NetworkSpec], NDArray[np.integer]]
    unit: str
    note: str
    known: Callable[[Space], bool] = lambda _: True
    of_numbers: bool = False


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
        "most feature maps alive at once in a forward pass of one image, without weights",
        counts_memory,
        of_numbers=True,
    ),
}


class AnalyticCosts:
    """Counted costs of a space, without dead operations, which are never deployed.

    Args:
        space: Search space of the codes.
        network: The deployed network.
        precision: Of its numbers.
    """

    def __init__(self, space: Space, network: NetworkSpec, precision: Precision = "float32") -> None:
        self._space = space
        self._precision = precision
        self._network = network
        self.names: tuple[str, ...] = tuple(name for name, row in COUNTED.items() if row.known(space))

    def evaluate(self, codes: ArrayLike) -> dict[str, NDArray[np.float64]]:
        """Returns every counted cost of codes of shape (N, D), shape (N,) each."""
        effective = self._space.effective(codes)
        counted = {name: COUNTED[name].count(self._space, effective, self._network) for name in self.names}
        return {name: values.astype(np.float64) * self._share(name) for name, values in counted.items()}

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
        notes = {name: row.note + f", in {self._precision}" * row.of_numbers for name, row in rows.items()}
        return {name: {"kind": "counted", "unit": row.unit, "notes": [notes[name]]} for name, row in rows.items()}

    def _share(self, cost: str) -> float:
        return NUMBER_BYTES[self._precision] / NUMBER_BYTES["float32"] if COUNTED[cost].of_numbers else 1.0

    def _require(self, cost: str) -> None:
        if cost not in self.names:
            raise SettingsError(f"unknown cost {cost!r}; {choose_from(self.names, cost)}")


def count_costs(space: Space, network: NetworkSpec | None = None, precision: Precision = "float32") -> AnalyticCosts:
    """Returns the costs of a space that are counted: FLOPs, parameters and, where it is known, activation memory.

    Args:
        space: The search space.
        network: Sizes of the deployed network; the space's own unless given.
        precision: Of the numbers of feature maps: ``"float32"`` or ``"int8"``.

    Raises:
        SpaceError: If the sizes do not suit the space.

    Example:
        >>> from surrogate_nas import count_costs, load_space
        >>> space = load_space("quick")
        >>> costs = count_costs(space).evaluate(space.parse("1102")[None])
        >>> {name: int(values[0]) for name, values in costs.items()}
        {'flops': 24336, 'params': 1134, 'memory_bytes': 3840}
    """
    return AnalyticCosts(space, network or space.network, precision)

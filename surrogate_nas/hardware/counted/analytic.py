"""Costs that are counted: parameters, multiply-accumulates and activation memory of the deployed network."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.counted.memory import activation_bytes, counts_memory
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space


class AnalyticCosts:
    """Parameters, FLOPs and, where it is counted, activation memory, without dead operations: nobody deploys those.

    Args:
        space: Search space of the codes.
        network: The deployed network.
    """

    def __init__(self, space: Space, network: NetworkSpec) -> None:
        self._space = space
        self._network = network
        known = counts_memory(space)
        self.names: tuple[str, ...] = ("flops", "params", "memory_bytes") if known else ("flops", "params")

    def evaluate(self, codes: ArrayLike) -> dict[str, NDArray[np.float64]]:
        """Multiply-accumulates per image, weights with affine batch-norm, bytes; for codes (N, D), shape (N,) each."""
        effective = self._space.effective(codes)
        counts = {
            "flops": self._space.flops(effective, self._network).astype(np.float64),
            "params": self._space.parameters(effective, self._network).astype(np.float64),
        }
        if "memory_bytes" in self.names:
            counts["memory_bytes"] = activation_bytes(self._space, effective, self._network).astype(np.float64)
        return counts

    def relative_error(self, cost: str) -> float | None:
        """0: the counts are exact.

        Raises:
            SettingsError: If the cost is not counted here.
        """
        self._require(cost)
        return 0.0

    def held_out_errors(self, cost: str) -> NDArray[np.float64]:
        """None: the counts are exact.

        Raises:
            SettingsError: If the cost is not counted here.
        """
        self._require(cost)
        return np.zeros(0)

    def describe(self) -> dict[str, Any]:
        """What is counted."""
        described: dict[str, Any] = {
            "flops": {
                "kind": "counted",
                "unit": "multiply-accumulates per image",
                "notes": ["convolutions and classifier; torch.utils.flop_counter counts each multiply-accumulate as 2"],
            },
            "params": {"kind": "counted", "unit": "weights", "notes": ["with the scale and shift of batch-norm"]},
        }
        if "memory_bytes" in self.names:
            described["memory_bytes"] = {
                "kind": "counted",
                "unit": "bytes",
                "notes": ["most feature maps alive at once in a forward pass of one image in float32, without weights"],
            }
        return described

    def _require(self, cost: str) -> None:
        if cost not in self.names:
            raise SettingsError(f"unknown cost {cost!r}; choose from {', '.join(self.names)}")


def count_costs(space: Space, network: NetworkSpec | None = None) -> AnalyticCosts:
    """The costs of a space that are counted: FLOPs, parameters and, where it is known, activation memory.

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

"""Costs that are counted: parameters and multiply-accumulates of the deployed network."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.errors import SettingsError
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space


class AnalyticCosts:
    """Parameters and FLOPs, of the architecture without its dead operations: nobody deploys those.

    Args:
        space: Search space of the codes.
        network: The deployed network.
    """

    names: tuple[str, ...] = ("flops", "params")

    def __init__(self, space: Space, network: NetworkSpec) -> None:
        self._space = space
        self._network = network

    def evaluate(self, codes: ArrayLike) -> dict[str, NDArray[np.float64]]:
        """Multiply-accumulates per image, and weights with affine batch-norm, for codes (N, D); each of shape (N,)."""
        effective = self._space.effective(codes)
        return {
            "flops": self._space.flops(effective, self._network).astype(np.float64),
            "params": self._space.parameters(effective, self._network).astype(np.float64),
        }

    def relative_error(self, cost: str) -> float | None:
        """0: the counts are exact.

        Raises:
            SettingsError: If the cost is neither parameters nor FLOPs.
        """
        if cost not in self.names:
            raise SettingsError(f"unknown cost {cost!r}; choose from {', '.join(self.names)}")
        return 0.0

    def describe(self) -> dict[str, Any]:
        """What is counted."""
        return {
            "flops": {
                "kind": "counted",
                "unit": "multiply-accumulates per image",
                "notes": ["convolutions and classifier; torch.utils.flop_counter counts each multiply-accumulate as 2"],
            },
            "params": {"kind": "counted", "unit": "weights", "notes": ["with the scale and shift of batch-norm"]},
        }

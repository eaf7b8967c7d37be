"""Counts the parts of the RAM and the flash that networks take on a device: the first guess, which a fit corrects.

Symbols:
    N: architectures in the batch.
    P: distinct pieces of the networks.
"""

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from surrogate_nas.costs.number_formats import NUMBER_BYTES, Precision
from surrogate_nas.hardware.counted.memory import planned_numbers
from surrogate_nas.hardware.measure.pieces import workload
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Codes, Space

PARTS = ("feature maps or weights", "channels", "operations", "runtime")
"""Columns of the counts."""

_GRAPH = {"ram_bytes": (8, 336, 600), "flash_bytes": (26, 440, 950)}
"""Bytes for a channel of weights, for an operation and for the whole, by TensorFlow Lite Micro: for a channel
a multiplier and a shift in RAM; a bias, a scale and a zero point in flash. From networks of images32 and digits."""


class _Size(NamedTuple):
    channels: int
    operations: int


class DeviceBytes:
    """Counts for every architecture of a space.

    Args:
        space: The search space.
        network: The deployed network.
        precision: Of its numbers.

    Raises:
        SpaceError: If the sizes do not suit the space.
    """

    def __init__(self, space: Space, network: NetworkSpec, precision: Precision) -> None:
        self._space, self._network = space, network
        self._number = NUMBER_BYTES[precision]
        self._workload = workload(space, network)

    def parts(self, codes: Codes) -> dict[str, NDArray[np.float64]]:
        """Returns the parts of each cost of effective codes (N, D), in bytes, shape (N, 4) each.

        The first one is the peak of feature maps for RAM, and weights for flash.
        """
        run = np.column_stack([self._workload.counts(codes) @ self._sizes, np.ones(len(codes), dtype=np.int64)])
        first = {
            "ram_bytes": planned_numbers(self._space, codes, self._network),
            "flash_bytes": self._space.parameters(codes, self._network),
        }
        return {
            cost: np.column_stack([self._number * count, run * np.array(_GRAPH[cost])]).astype(np.float64)
            for cost, count in first.items()
        }

    @cached_property
    def _sizes(self) -> NDArray[np.int64]:
        """Channels of weights and operations of each piece, shape (P, 2)."""
        with torch.device("meta"):
            found = [_size(piece.build()) for piece in self._workload.pieces]
        return np.array(found, dtype=np.int64).reshape(-1, 2)


def _size(piece: Callable[[Tensor], Tensor]) -> _Size:
    """Returns the size of a piece in a graph whose batch-norms and activations are part of convolutions."""
    if not isinstance(piece, nn.Module):
        return _Size(0, 1)
    layers = [part for part in piece.modules() if isinstance(part, nn.Conv2d | nn.Linear)]
    channels = [part.out_channels if isinstance(part, nn.Conv2d) else part.out_features for part in layers]
    return _Size(sum(channels), max(1, len(layers)))

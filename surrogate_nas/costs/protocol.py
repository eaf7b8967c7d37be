"""The protocol of objects that know costs, for the code that bounds them."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

# float32 and float64 both come from models; the arrays are only compared and ranked.
Values = NDArray[Any]


class CostModel(Protocol):
    """Costs of architectures by name; its methods may be called in any order, any number of times."""

    @property
    def names(self) -> tuple[str, ...]:
        """Keys of ``surrogate_nas.costs.cost.COSTS``, in the order in which tables show them."""
        ...

    def evaluate(self, codes: NDArray[np.int8]) -> Mapping[str, Values]:
        """Returns every cost of codes of shape (N, D), each of shape (N,).

        Raises:
            SpaceError: If the codes do not belong to the space.
        """
        ...

"""Spaces of one cell with an operation on each edge, as drawings and regressions see them."""

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.space.space import Codes


@runtime_checkable
class EdgeCell(Protocol):
    """A space whose architectures are one cell with an operation on each edge, some of which cut the edge.

    Attributes:
        edges: Start and end node of each edge, length E.
        operations: Names of the operations, in index order.
    """

    edges: tuple[tuple[int, int], ...]
    operations: tuple[str, ...]

    def check(self, codes: ArrayLike) -> Codes:
        """Checks codes as ``Space.check`` does."""
        ...

    def is_connected(self, codes: ArrayLike) -> NDArray[np.bool_]:
        """Returns whether codes are connected, as ``Space.is_connected`` does."""
        ...

    def reaching(self, codes: ArrayLike) -> Codes:
        """Returns codes, shape (N, E), whose edges without a path to the output are cut, whatever feeds them."""
        ...

"""Architectures as directed graphs of operations, what predictors read."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Graphs:
    """Architectures as directed operation graphs of one common number of nodes V.

    Attributes:
        operations: Node types, shape (N, V): 0 absent, 1 input, 2 output, 3 + k for operation k.
        adjacency: ``adjacency[n, u, v]`` says that data flow from node u to node v, shape (N, V, V).
        num_types: Number of node types.
    """

    operations: NDArray[np.int64]
    adjacency: NDArray[np.bool_]
    num_types: int

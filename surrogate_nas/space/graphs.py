"""Architectures as directed graphs of operations, which predictors read and drawings show."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.space.operations.spec import OperationSpec

ABSENT, INPUT, OUTPUT, FIRST_TYPE = range(4)
"""Types of nodes; from the last on they differ from space to space."""


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


@dataclass(frozen=True)
class GraphTypes:
    """The node types of a space's graphs, from ``FIRST_TYPE`` on.

    Attributes:
        operations: The operation of each type, by the name that drawings show.
        marks: How many of the last types are not operations of an architecture, such as sums; they are identities.
        coarse: A number for each type, from 0 on, equal where types need not differ in pairs; by default all
            differ.
    """

    operations: tuple[OperationSpec, ...]
    marks: int = 0
    coarse: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.coarse:
            object.__setattr__(self, "coarse", tuple(range(len(self.operations))))

    @property
    def number(self) -> int:
        """Number of types, with absent, input and output."""
        return FIRST_TYPE + len(self.operations)

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each type, with absent, input and output."""
        return ("absent", "input", "output", *(operation.name for operation in self.operations))

    def coarse_types(self) -> NDArray[np.int64]:
        """Returns a number for each type, with absent, input and output: below ``number``, equal for like types."""
        return np.array([ABSENT, INPUT, OUTPUT, *(FIRST_TYPE + one for one in self.coarse)], dtype=np.int64)

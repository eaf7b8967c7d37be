"""Encodes codes as dense tensors of graphs; all graphs of a space have the same number of nodes.

Symbols:
    N: architectures.
    V: nodes of a graph: the input, one per decision, the output.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from surrogate_nas.predictor.protocol import Codes
from surrogate_nas.space.space import Space

# Raise it when the meaning of a graph's tensors changes: weights fitted to the old meaning are then refused.
ENCODING_VERSION = 1


@dataclass(frozen=True)
class GraphBatch:
    """Graphs of N architectures.

    Attributes:
        operations: Node types, shape (N, V), int64; 0 is absent, the last node is the output.
        adjacency: 1 where data flow from node u to node v, shape (N, V, V) as [n, u, v], float32.
    """

    operations: Tensor
    adjacency: Tensor

    def __len__(self) -> int:
        return len(self.operations)

    def take(self, positions: Tensor) -> "GraphBatch":
        """Returns the graphs at the given positions, shape (B,)."""
        return GraphBatch(self.operations[positions], self.adjacency[positions])


def encode(space: Space, codes: Codes) -> GraphBatch:
    """Returns graphs of the codes as given, shape (N, D); the caller makes codes canonical where needed.

    Raises:
        SpaceError: If the codes are not codes of the space.
    """
    graphs = space.graphs(codes)
    # Copied, since numpy aligns arrays by chance, and the last bits of a matrix product depend on the alignment.
    adjacency = torch.from_numpy(graphs.adjacency.astype(np.float32)).clone()
    return GraphBatch(torch.from_numpy(graphs.operations).clone(), adjacency)


def encode_in_batches(space: Space, codes: Codes, batch_size: int) -> Iterator[GraphBatch]:
    """Yields graphs of many codes, at most ``batch_size`` at a time: memory does not grow with N."""
    for start in range(0, len(codes), batch_size):
        yield encode(space, codes[start : start + batch_size])


def num_node_types(space: Space) -> int:
    """Returns the number of node types of the graphs of a space."""
    return space.graphs(np.zeros((1, space.num_decisions), dtype=np.int8)).num_types

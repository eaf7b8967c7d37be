"""Sums values along the paths of an architecture (shortest, longest and mean), without enumerating the paths.

Symbols:
    N: architectures.
    V: nodes of a graph, the first its input and the last its output, edges only from lower to higher nodes.
    A: adjacency, (N, V, V), A[n, u, v] is 1 where data flow from u to v.
    K: kinds of value that are summed along paths.

Sums along paths are equal for isomorphic architectures. A network behaves like an ensemble of its paths, of which the
short ones carry most of the gradient (Veit et al., arXiv 1605.06431).
"""

from dataclasses import dataclass

import numpy as np

from surrogate_nas.predictor.features.graph_features import NodeTypes, node_types
from surrogate_nas.predictor.protocol import Codes, Floats
from surrogate_nas.space.graphs import FIRST_TYPE
from surrogate_nas.space.space import Space

_BATCH = 4096


@dataclass(frozen=True)
class PathSums:
    """Sums of K kinds of node values along the paths of N architectures; 0 where there is no path.

    Attributes:
        longest: Largest sum on any path, shape (N, K).
        shortest: Smallest sum on any path, shape (N, K).
        mean: Mean of the sum over all paths, shape (N, K).
        paths: Number of paths, shape (N,).
        shortcuts: Number of paths on which nothing is computed: identities alone, shape (N,).
    """

    longest: Floats
    shortest: Floats
    mean: Floats
    paths: Floats
    shortcuts: Floats

    def columns(self) -> Floats:
        """Returns all of them as columns, shape (N, 3 K + 2)."""
        counts = np.stack([self.paths, self.shortcuts], axis=1)
        return np.concatenate([self.longest, self.shortest, self.mean, counts], axis=1)


def path_sums(space: Space, codes: Codes) -> PathSums:
    """Returns how often each operation, any nonlinear one, and any operation lie on the paths of architectures.

    Args:
        space: Space of the codes.
        codes: Shape (N, D).

    Returns:
        Sums with one kind for each operation that computes, then nonlinear functions, then all operations.
    """
    types = node_types(space)
    parts = [_path_sums(space, types, codes[start : start + _BATCH]) for start in range(0, max(len(codes), 1), _BATCH)]
    return PathSums(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("longest", "shortest", "mean", "paths", "shortcuts")
        )
    )


def _values_by_type(types: NodeTypes) -> Floats:
    """Returns the value that a node of each type adds to each kind of sum, shape (T, K)."""
    computes = ~types.is_identity & ~types.is_zero
    computes[:FIRST_TYPE] = False
    single = np.eye(len(computes))[:, computes]
    return np.concatenate([single, types.nonlinear[:, None], computes[:, None].astype(np.float64)], axis=1)


def _path_sums(space: Space, types: NodeTypes, codes: Codes) -> PathSums:
    graphs = space.graphs(codes)
    values = _values_by_type(types)[graphs.operations]  # (N, V, K)
    free = values[:, :, -1] == 0  # nothing is computed
    count, nodes, _ = values.shape
    longest, shortest = np.full(values.shape, -np.inf), np.full(values.shape, np.inf)
    totals, paths, shortcuts = np.zeros(values.shape), np.zeros((count, nodes)), np.zeros((count, nodes))
    longest[:, 0] = shortest[:, 0] = 0.0
    paths[:, 0] = shortcuts[:, 0] = 1.0
    for node in range(1, nodes):
        arriving = graphs.adjacency[:, :node, node]
        ways = arriving[:, :, None]
        longest[:, node] = np.where(ways, longest[:, :node], -np.inf).max(axis=1) + values[:, node]
        shortest[:, node] = np.where(ways, shortest[:, :node], np.inf).min(axis=1) + values[:, node]
        paths[:, node] = (paths[:, :node] * arriving).sum(axis=1)
        totals[:, node] = (totals[:, :node] * ways).sum(axis=1) + values[:, node] * paths[:, node, None]
        shortcuts[:, node] = (shortcuts[:, :node] * arriving).sum(axis=1) * free[:, node]
    reached = paths[:, -1:] > 0
    return PathSums(
        np.where(reached, longest[:, -1], 0.0),
        np.where(reached, shortest[:, -1], 0.0),
        totals[:, -1] / np.maximum(paths[:, -1:], 1.0),
        paths[:, -1],
        shortcuts[:, -1],
    )

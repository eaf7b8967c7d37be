"""Converts architectures to rows of numbers, for models that do not read graphs.

Symbols:
    N: architectures.
    D: decisions of the space.
    V: nodes of a graph; T: node types; A: adjacency, (N, V, V), A[n, u, v] is 1 where data flow from u to v.
    C: coarse types, at most T. O: one-hot coarse types, (N, V, C).
    F: adjacency after identities were contracted, F[n, u, v] = number of ways from u to v through identities alone.

Everything but ``one_hot`` is equal for isomorphic architectures, as it only sums over nodes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.predictor.protocol import Codes, Floats
from surrogate_nas.space.graphs import FIRST_TYPE
from surrogate_nas.space.space import Space

# Codes processed at a time: the memory in use does not grow with N.
_BATCH = 4096


@dataclass(frozen=True)
class NodeTypes:
    """Properties of the node types of a space's graphs, by type, shape (T,) each.

    Attributes:
        is_identity: Whether nodes of the type pass their input on.
        is_zero: Whether nodes of the type output zeros.
        nonlinear: Nonlinear functions inside.
        reach: Pixels by which the type's convolutions widen the receptive field, to each side.
        coarse: A number below C, equal for types that are counted as one.
    """

    is_identity: NDArray[np.bool_]
    is_zero: NDArray[np.bool_]
    nonlinear: Floats
    reach: Floats
    coarse: NDArray[np.int64]

    @property
    def kinds(self) -> int:
        """Number C of coarse types."""
        return int(self.coarse.max()) + 1


def node_types(space: Space) -> NodeTypes:
    """Returns the table of a space's node types: absent, input, output, then the operations."""
    types = space.graph_types
    specs = types.operations
    fixed = [0.0] * FIRST_TYPE
    return NodeTypes(
        np.array([False] * FIRST_TYPE + [spec.is_identity for spec in specs]),
        np.array([False] * FIRST_TYPE + [spec.is_zero for spec in specs]),
        np.array(fixed + [float(spec.nonlinear_functions) for spec in specs]),
        np.array(fixed + [float(spec.reach) for spec in specs]),
        types.coarse_types(),
    )


def one_hot(space: Space, codes: Codes) -> Floats:
    """Returns one column per choice of each decision, shape (N, sum of choices)."""
    columns = [np.eye(len(decision.choices))[codes[:, position]] for position, decision in enumerate(space.decisions)]
    return np.concatenate(columns, axis=1)


def pairs_of_decisions(space: Space, codes: Codes) -> Floats:
    """Returns ``one_hot`` and the products of its columns of two different decisions, shape (N, columns)."""
    single = one_hot(space, codes)
    owner = np.repeat(np.arange(space.num_decisions), [len(decision.choices) for decision in space.decisions])
    first, second = np.nonzero(owner[:, None] < owner[None, :])
    return np.concatenate([single, single[:, first] * single[:, second]], axis=1)


def path_features(space: Space, codes: Codes) -> Floats:
    """Returns counts of operations and of their successors at one and two steps, and longest paths.

    A Weisfeiler-Lehman kernel of depth 2 compares these counts (NAS-BOWL, arXiv 2006.07556), with multiplicities
    of data flow and with identities contracted.

    Args:
        space: Space of the codes.
        codes: Shape (N, D).

    Returns:
        Shape (N, C + 2 C^2 + 3).
    """
    types = node_types(space)
    parts = [_path_features(space, types, codes[start : start + _BATCH]) for start in range(0, len(codes), _BATCH)]
    width = types.kinds * (1 + 2 * types.kinds) + 3
    return np.concatenate(parts) if parts else np.empty((0, width))


def _path_features(space: Space, types: NodeTypes, codes: Codes) -> Floats:
    graphs = space.graphs(codes)
    computes = ~types.is_identity
    computes[0] = False  # absent
    kinds = np.eye(types.kinds)[types.coarse][graphs.operations] * computes[graphs.operations][:, :, None]  # O
    adjacency = graphs.adjacency.astype(np.float64)
    flow = _contracted(adjacency, types.is_identity[graphs.operations])
    one_step = np.einsum("nut,nuv,nvs->nts", kinds, flow, kinds, optimize=True)
    two_steps = np.einsum("nut,nuv,nvs->nts", kinds, flow @ flow, kinds, optimize=True)
    longest = [
        longest_path(adjacency, values[graphs.operations])
        for values in (types.nonlinear, types.reach, computes.astype(np.float64))
    ]
    count = len(codes)
    return np.concatenate(
        [kinds.sum(axis=1), one_step.reshape(count, -1), two_steps.reshape(count, -1), np.stack(longest, axis=1)],
        axis=1,
    )


def _contracted(adjacency: Floats, is_identity: NDArray[np.bool_]) -> Floats:
    """Returns F = A + A S A + A S A S A + ..., between nodes that are not identities; S selects the identities."""
    through = adjacency * is_identity[:, :, None]  # S A
    flow, term = adjacency.copy(), adjacency
    for _ in range(adjacency.shape[1]):
        term = term @ through
        if not term.any():
            break
        flow += term
    computes = ~is_identity
    return np.asarray(flow * computes[:, :, None] * computes[:, None, :])


def longest_path(adjacency: Floats, values: Floats) -> Floats:
    """Returns the largest sum of node values on a path from the first to the last node, shape (N,); 0 without a path.

    Args:
        adjacency: Shape (N, V, V), only from lower to higher nodes.
        values: At least 0, shape (N, V).
    """
    best = np.full(values.shape, -np.inf)
    best[:, 0] = values[:, 0]
    for node in range(1, values.shape[1]):
        arriving = np.where(adjacency[:, :, node] > 0, best, -np.inf).max(axis=1)
        best[:, node] = arriving + values[:, node]
    return np.asarray(np.maximum(best[:, -1], 0.0))

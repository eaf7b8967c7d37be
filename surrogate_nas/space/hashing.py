"""Scrambled integers, whose sums act as keys of multisets, and keys of graphs made of them."""

import numpy as np
from numpy.typing import NDArray


def mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scrambles 64-bit integers (splitmix64: the step of its counter, then its finaliser), element by element.

    Without the step the finaliser hardly mixes small integers: of the sums of two of the first 300, nine agree.
    """
    with np.errstate(over="ignore"):
        values = (values + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return values ^ (values >> np.uint64(31))


def graph_keys(types: NDArray[np.int64], flow: NDArray[np.uint64], rounds: int) -> NDArray[np.uint64]:
    """Returns a Weisfeiler-Lehman key of each graph, shape (N,), equal for isomorphic ones.

    Args:
        types: Types of V nodes, shape (N, V); nodes of type 0 are not there.
        flow: How often data flow from one node to another, shape (N, V, V).
        rounds: Steps from node to node. After as many as there are nodes on the longest path every node has seen the
            whole graph.
    """
    keys = mix(types.astype(np.uint64) + np.uint64(1))
    for _ in range(rounds):
        incoming = mix((flow * keys[:, :, None]).sum(axis=1, dtype=np.uint64) ^ np.uint64(0x9E37))
        outgoing = mix((flow * keys[:, None, :]).sum(axis=2, dtype=np.uint64) ^ np.uint64(0x79B9))
        keys = mix(keys + np.uint64(3) * incoming + np.uint64(5) * outgoing)
    return mix(np.where(types > 0, keys, np.uint64(0)).sum(axis=1, dtype=np.uint64))

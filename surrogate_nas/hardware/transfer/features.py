"""Computes the features that a latency may depend on: groups of features of architectures, from coarse to fine.

A group is a hypothesis about how a device computes a network. A device that runs networks as written pays for every
operation; one that compiles them pays only for operations that reach the output. Finer groups need more measurements to
learn, so a regression gives each group a weight of its own.

Symbols:
    N: architectures.
    F: features of a group.
    D: decisions of a code.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.space.edge_cells import EdgeCell
from surrogate_nas.space.space import Space

WRITTEN, REACHING, EDGES = "operations as written", "operations that reach the output", "operation of each edge"
COUNTS, NEIGHBOURS, POSITIONS = "operations", "operations along the layers", "operation of each layer"

_NEIGHBOURHOOD = 2.0  # layers over which an operation's latency is assumed to change little


@dataclass(frozen=True)
class View:
    """One group of features.

    Attributes:
        name: Name in reports.
        features: Shape (N, F); of mean 0, and of variance 1 or, where features overlap, of comparable size.
    """

    name: str
    features: NDArray[np.float64]

    def kernel(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Returns inner products of all architectures and ``rows``, shape (N, rows), about 1 with itself."""
        return np.asarray(self.features @ self.features[rows].T / max(self.features.shape[1], 1))


def cell_views(space: EdgeCell, codes: ArrayLike) -> tuple[View, ...]:
    """Returns the views of cells, coarse to fine, of codes of shape (N, D)."""
    checked = space.check(codes)
    choices = len(space.operations)
    reaching = space.reaching(checked)
    connected = space.is_connected(checked)[:, None]
    return (
        View(WRITTEN, _standard(_counts(checked, choices))),
        View(REACHING, _standard(np.hstack([connected, connected * _counts(reaching, choices)]))),
        View(EDGES, _standard(_one_hot(checked, choices))),
    )


def chain_views(codes: ArrayLike) -> tuple[View, ...]:
    """Returns the views of chains, coarse to fine, of codes (N, D) of any space whose decisions are layers."""
    array = np.asarray(codes, dtype=np.int64)
    choices = int(array.max()) + 1
    layers = np.arange(array.shape[1])
    closeness = np.exp(-0.5 * ((layers[:, None] - layers) / _NEIGHBOURHOOD) ** 2)
    values, vectors = np.linalg.eigh(closeness)
    basis = vectors[:, values > 1e-6] * np.sqrt(values[values > 1e-6])
    per_layer = _one_hot(array, choices).reshape(len(array), len(layers), choices)
    smooth = np.einsum("nlc,lb->ncb", per_layer, basis).reshape(len(array), -1)
    smooth -= smooth.mean(axis=0)
    return (
        View(COUNTS, _standard(_counts(array, choices))),
        View(NEIGHBOURS, smooth * np.sqrt(smooth.shape[1] / max((smooth**2).sum(axis=1).mean(), 1e-12))),
        View(POSITIONS, _standard(per_layer.reshape(len(array), -1))),
    )


def latency_views(space: Space | None, codes: ArrayLike) -> tuple[View, ...]:
    """Returns the views of a space; without one, or if it has no cell, decisions count as layers."""
    return cell_views(space, codes) if isinstance(space, EdgeCell) else chain_views(codes)


def _one_hot(codes: NDArray[np.integer], choices: int) -> NDArray[np.float64]:
    return np.asarray((codes[:, :, None] == np.arange(choices)).reshape(len(codes), -1), dtype=np.float64)


def _counts(codes: NDArray[np.integer], choices: int) -> NDArray[np.float64]:
    # The count of the first operation follows from the others.
    return np.stack([(codes == choice).sum(axis=1) for choice in range(1, choices)], axis=1).astype(np.float64)


def _standard(features: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = features.std(axis=0)
    varying = features[:, spread > 0]
    return np.asarray((varying - varying.mean(axis=0)) / spread[spread > 0])

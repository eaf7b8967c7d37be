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


class ChainFeatures:
    """Views of chains, coarse to fine, with means and spreads of a reference.

    Args:
        reference: Codes, shape (N, D), of any space whose decisions are layers.
        choices: Choices of a layer, at most; by default as many as occur.
    """

    def __init__(self, reference: ArrayLike, choices: int | None = None) -> None:
        array = np.asarray(reference, dtype=np.int64)
        self._choices = int(array.max()) + 1 if choices is None else choices
        layers = np.arange(array.shape[1])
        closeness = np.exp(-0.5 * ((layers[:, None] - layers) / _NEIGHBOURHOOD) ** 2)
        values, vectors = np.linalg.eigh(closeness)
        self._basis = vectors[:, values > 1e-6] * np.sqrt(values[values > 1e-6])
        counts, smooth, positions = self._raw(array)
        self._counts, self._positions = _Scale.of(counts), _Scale.of(positions)
        centred = smooth - smooth.mean(axis=0)
        size = np.sqrt(max((centred**2).sum(axis=1).mean(), 1e-12) / smooth.shape[1])
        self._smooth = _Scale(smooth.mean(axis=0), np.full(smooth.shape[1], size))

    def views(self, codes: ArrayLike) -> tuple[View, ...]:
        """Returns the views of codes, shape (N, D)."""
        counts, smooth, positions = self._raw(np.asarray(codes, dtype=np.int64))
        return (
            View(COUNTS, self._counts.applied(counts)),
            View(NEIGHBOURS, self._smooth.applied(smooth)),
            View(POSITIONS, self._positions.applied(positions)),
        )

    def _raw(self, codes: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        flat = _one_hot(codes, self._choices)
        per_layer = flat.reshape(*codes.shape, self._choices)
        smooth = np.einsum("nlc,lb->ncb", per_layer, self._basis, optimize=True).reshape(len(codes), -1)
        return _counts(codes, self._choices), smooth, flat


def chain_views(codes: ArrayLike) -> tuple[View, ...]:
    """Returns the views of chains, coarse to fine, of codes (N, D) of any space whose decisions are layers."""
    return ChainFeatures(codes).views(codes)


def latency_views(space: Space | None, codes: ArrayLike) -> tuple[View, ...]:
    """Returns the views of a space; without one, or if it has no cell, decisions count as layers."""
    return cell_views(space, codes) if isinstance(space, EdgeCell) else chain_views(codes)


def _one_hot(codes: NDArray[np.integer], choices: int) -> NDArray[np.float64]:
    return np.asarray((codes[:, :, None] == np.arange(choices)).reshape(len(codes), -1), dtype=np.float64)


def _counts(codes: NDArray[np.integer], choices: int) -> NDArray[np.float64]:
    # The count of the first operation follows from the others.
    return np.stack([(codes == choice).sum(axis=1) for choice in range(1, choices)], axis=1).astype(np.float64)


@dataclass(frozen=True)
class _Scale:
    """Mean and spread of features; of spread 0 are features that are left out.

    Attributes:
        mean: Shape (F,).
        spread: Shape (F,).
    """

    mean: NDArray[np.float64]
    spread: NDArray[np.float64]

    @classmethod
    def of(cls, features: NDArray[np.float64]) -> "_Scale":
        """Returns the scale on which these features have mean 0 and variance 1."""
        return cls(features.mean(axis=0), features.std(axis=0))

    def applied(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns features on this scale, without the ones that are left out."""
        varying = self.spread > 0
        return np.asarray((features[:, varying] - self.mean[varying]) / self.spread[varying])


def _standard(features: NDArray[np.float64]) -> NDArray[np.float64]:
    return _Scale.of(features).applied(features)

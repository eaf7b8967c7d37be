"""What is known of an architecture's accuracy before any training: three counts, each of them a rank.

Symbols:
    N: architectures.
    R: architectures of the reference set.
"""

from dataclasses import dataclass

import numpy as np

from surrogate_nas.predictor.features import longest_path, node_types
from surrogate_nas.predictor.protocol import Codes, Floats
from surrogate_nas.predictor.rank_transform import RankTransform, rank_transform
from surrogate_nas.space.space import Space

# Correlation of the prior's ranks with those of the accuracy after training, measured on another space whose trained
# networks are public, NAS-Bench-Macro (a chain of 8 layers, 6,561 networks): operations 0.75, depth 0.83, reach 0.82,
# their sum 0.825. Nothing of the space that is searched is in it. The weights are equal because three weights fitted to
# one other space would be too much of that space (unit weights: Dawes, "The robust beauty of improper linear models in
# decision making", 1979).
PRIOR_CORRELATION = 0.825

_BATCH = 4096


def complexity_counts(space: Space, codes: Codes) -> Floats:
    """How much an architecture computes, how deep it is, and how far it sees.

    Args:
        space: Space of the codes.
        codes: Shape (N, D).

    Returns:
        Shape (N, 3): multiply-accumulates of the live operations in the space's own network; most nonlinear functions
        on a path of the cell; most pixels by which convolutions on a path of the cell widen what is seen.
    """
    parts = [_counts(space, codes[start : start + _BATCH]) for start in range(0, len(codes), _BATCH)]
    return np.concatenate(parts) if parts else np.empty((0, 3))


def _counts(space: Space, codes: Codes) -> Floats:
    graphs = space.graphs(codes)
    reach = node_types(space).reach[graphs.operations]
    columns = (
        space.flops(space.effective(codes), space.network),
        space.nonlinear_count(codes),
        longest_path(graphs.adjacency.astype(np.float64), reach),
    )
    return np.stack(columns, axis=1).astype(np.float64)


@dataclass(frozen=True)
class Prior:
    """Sum of the ranks of the three counts, itself as a rank.

    Attributes:
        space: Space of the codes.
        counts: One transform per count.
        total: Transform of their sum.
    """

    space: Space
    counts: tuple[RankTransform, ...]
    total: RankTransform

    def score(self, codes: Codes) -> Floats:
        """Mean 0 and standard deviation 1 over the reference set, shape (N,)."""
        return self.total(_summed(self.counts, complexity_counts(self.space, codes)))


def make_prior(space: Space, reference: Codes) -> Prior:
    """The prior of a space.

    Args:
        space: The space.
        reference: Codes among which the ranks are, shape (R, D).
    """
    table = complexity_counts(space, reference)
    counts = tuple(rank_transform(column, "counts of complexity") for column in table.T)
    return Prior(space, counts, rank_transform(_summed(counts, table), "counts of complexity"))


def _summed(transforms: tuple[RankTransform, ...], table: Floats) -> Floats:
    ranks = [transform(column) for transform, column in zip(transforms, table.T, strict=True)]
    return np.asarray(np.sum(ranks, axis=0), dtype=np.float64)

"""Draws of architectures: uniform, or as many for each number of nonlinear functions.

Nearly all architectures of a chain whose depth is chosen have nearly the largest depth, so that uniform draws say
nothing about shallow and wide networks. Draws that are balanced over the counts are the supernet-balanced sampling of
EFS-NAS (arXiv 2412.14678) with a subspace for every count.
"""

import numpy as np

from surrogate_nas.labels.settings import Draws
from surrogate_nas.space.space import Codes, Space


def draw(space: Space, size: int, draws: Draws, rng: np.random.Generator) -> Codes:
    """Returns effective codes of connected architectures, shape (M, D), M near ``size``; some may repeat.

    Args:
        space: The search space.
        size: Number to draw.
        draws: Kind of draws.
        rng: Source of randomness.
    """
    if draws == "uniform":
        codes = space.effective(space.sample(size, rng))
        return codes[space.is_connected(codes)]
    counts = space.counts
    each = -(-size // len(counts.populations()))
    codes = space.effective(np.concatenate([counts.draw(count, each, rng) for count in counts.populations()]))
    return codes[rng.permutation(len(codes))]


def in_turns(space: Space, codes: Codes, draws: Draws) -> Codes:
    """Returns the same architectures, (N, D), in an order of which any first part is a fair draw.

    Balanced draws take counts of nonlinear functions in turns; uniform ones stay as they are.
    """
    if draws == "uniform" or not len(codes):
        return codes
    counts = space.nonlinear_count(codes)
    turn = np.zeros(len(codes), dtype=np.int64)
    for count in np.unique(counts):
        mine = np.flatnonzero(counts == count)
        turn[mine] = np.arange(len(mine))
    return codes[np.argsort(turn, kind="stable")]

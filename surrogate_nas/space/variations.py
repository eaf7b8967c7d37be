"""Variations of some architectures, from ones that differ in one decision to ones that share hardly any."""

import numpy as np

from surrogate_nas.space.space import Codes, Space


def varied(space: Space, parents: Codes, count: int, rng: np.random.Generator) -> Codes:
    """Returns effective codes of connected variations, shape (M, D), M at most ``count``; some may repeat.

    Each variation has a parent, all equally likely, and draws a number of its decisions again. Every number from one to
    the number of decisions is equally likely. So variations are close to a parent and far from it.

    Args:
        space: The search space.
        parents: Codes, shape (P, D), P at least 1.
        count: Number of variations to draw.
        rng: Source of randomness.
    """
    codes = parents[rng.integers(0, len(parents), count)]
    order = rng.random(codes.shape).argsort(axis=1)  # of each decision, among the ones that may be drawn again
    changes = rng.integers(1, space.num_decisions + 1, (count, 1))
    codes = np.where(order < changes, rng.integers(0, _choices(space), codes.shape), codes).astype(np.int8)
    codes = space.effective(codes)
    return codes[space.is_connected(codes)]


def _choices(space: Space) -> list[int]:
    return [len(decision.choices) for decision in space.decisions]

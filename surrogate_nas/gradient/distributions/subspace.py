"""The architectures that a distribution may draw: the ones of a subspace that lead from input to output."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.space.space import Codes, Space
from surrogate_nas.supernet.splits.split import Split

_AT_ONCE = 8


@dataclass(frozen=True)
class Subspace:
    """A subspace.

    Attributes:
        space: The whole space.
        split: The split that the subspace is of; ``None`` for the whole space.
        group: Its number in the split; ``None`` for the whole space.
    """

    space: Space
    split: Split | None = None
    group: int | None = None

    @property
    def name(self) -> str:
        """A short description."""
        return "whole space" if self.split is None or self.group is None else self.split.names[self.group]

    def holds(self, codes: Codes) -> NDArray[np.bool_]:
        """Returns which codes (N, D) lie in it and have a path from input to output, shape (N,)."""
        inside = np.asarray(self.space.is_connected(codes), dtype=np.bool_)
        if self.split is None or self.group is None:
            return inside
        return np.asarray(inside & (self.split.assign(codes) == self.group))

    def codes(self) -> Codes:
        """Returns all of its architectures, shape (N, D), in the order of the space, which is small enough to list."""
        every = self.space.all_codes()
        return np.asarray(every[self.holds(every)])

    def uniform(self, rng: np.random.Generator) -> Codes:
        """Returns one uniform draw, shape (D,)."""
        while True:
            whole = self.split is None or self.group is None
            codes = self.space.sample(_AT_ONCE, rng) if whole else self._part(rng)
            held = codes[self.holds(codes)]
            if len(held):
                return np.asarray(held[0])

    def _part(self, rng: np.random.Generator) -> Codes:
        assert self.split is not None
        assert self.group is not None
        return self.split.sample(self.group, _AT_ONCE, rng)

"""Path samplers: which subnets each training step takes.

The draws of a step depend on the seed and the step's number alone, so that a training resumed in the middle goes on as
if it had never stopped.
"""

from abc import ABC, abstractmethod
from typing import Protocol, final

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.space.space import Codes
from surrogate_nas.supernet.splits import Split

_BLOCK = 1024  # steps drawn at once; part of what a seed means


class PathSampler(Protocol):
    """Draws the subnets of a step."""

    def draw(self, step: int) -> Codes:
        """Codes whose gradients are summed in one optimizer step, shape (S, D)."""


class _BlockSampler(ABC):
    """Draws a block of steps at a time, from a generator of its own."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._block = -1
        self._drawn: NDArray[np.int8] = np.empty((0, 0, 0), dtype=np.int8)

    def draw(self, step: int) -> Codes:
        """Codes of a step, shape (S, D)."""
        block, offset = divmod(step, _BLOCK)
        if block != self._block:
            self._drawn = self._draw_block(np.random.default_rng([self._seed, block]))
            self._block = block
        return np.asarray(self._drawn[offset])

    @abstractmethod
    def _draw_block(self, rng: np.random.Generator) -> NDArray[np.int8]:
        """Codes of a block of steps, shape (block, S, D)."""


@final
class WithinGroup(_BlockSampler):
    """One subnet per step, uniform within one subspace."""

    def __init__(self, split: Split, group: int, seed: int) -> None:
        super().__init__(seed)
        self._split, self._group = split, group

    def _draw_block(self, rng: np.random.Generator) -> NDArray[np.int8]:
        return self._split.sample(self._group, _BLOCK, rng)[:, None]


@final
class Balanced(_BlockSampler):
    """One subnet per step: a subspace drawn by weight, then a subnet uniformly within it.

    Equal weights are EFS-NAS's supernet-balanced sampling on NAS-Bench-201 (arXiv 2412.14678); weights by population
    make it uniform over the space (SPOS, arXiv 1904.00420).
    """

    def __init__(self, split: Split, seed: int, weights: NDArray[np.floating]) -> None:
        super().__init__(seed)
        self._split, self._weights = split, weights / weights.sum()

    def _draw_block(self, rng: np.random.Generator) -> NDArray[np.int8]:
        groups = rng.choice(self._split.groups, size=_BLOCK, p=self._weights)
        each = np.stack([self._split.sample(group, _BLOCK, rng) for group in range(self._split.groups)])
        return np.asarray(each[groups, np.arange(_BLOCK)][:, None])


@final
class PerGroup(_BlockSampler):
    """One subnet of every subspace per step, gradients summed: EFS-NAS's sampling (arXiv 2412.14678)."""

    def __init__(self, split: Split, seed: int) -> None:
        super().__init__(seed)
        self._split = split

    def _draw_block(self, rng: np.random.Generator) -> NDArray[np.int8]:
        return np.stack([self._split.sample(group, _BLOCK, rng) for group in range(self._split.groups)], axis=1)

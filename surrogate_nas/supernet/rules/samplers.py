"""Path samplers: draw the subnets of each training step.

The draws of a step depend on the seed and the step's number alone, so a training resumed in the middle continues as if
it had never stopped.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol, final

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.errors import SettingsError
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.supernet.splits.boxes import Box, depths_in
from surrogate_nas.supernet.splits.split import Split

BLOCK = 1024  # steps drawn at once; part of what a seed means
# Beside the draws of the sampler itself, which have the seed and the block's number.
_LIST_STREAM, _MIXTURE_STREAM = 1, 2
_MOST_ROUNDS = 100  # of draws for one block, of which those of one subspace are kept


class PathSampler(Protocol):
    """Sampler of subnets; the gradients of a step's subnets are summed."""

    def draw(self, step: int) -> Codes:
        """Returns the codes of a step, shape (S, D)."""

    def block(self, number: int) -> Codes:
        """Returns the codes of the steps from ``number * BLOCK`` on, shape (BLOCK, S, D)."""


class _OfBlocks(ABC):
    """Sampler whose steps are taken from blocks."""

    def draw(self, step: int) -> Codes:
        """Returns the codes of a step, shape (S, D)."""
        number, offset = divmod(step, BLOCK)
        return np.asarray(self.block(number)[offset])

    @abstractmethod
    def block(self, number: int) -> Codes:
        """Returns the codes of a block of steps, shape (BLOCK, S, D)."""


class _BlockSampler(_OfBlocks):
    """Sampler that draws a block of steps at a time, from a generator of its own."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._number = -1
        self._drawn: NDArray[np.int8] = np.empty((0, 0, 0), dtype=np.int8)

    def block(self, number: int) -> Codes:
        """Returns the codes of a block of steps, shape (BLOCK, S, D)."""
        if number != self._number:
            self._drawn = self._draw_block(np.random.default_rng([self._seed, number]))
            self._number = number
        return self._drawn

    @abstractmethod
    def _draw_block(self, rng: np.random.Generator) -> NDArray[np.int8]:
        """Returns the codes of a block of steps, shape (block, S, D)."""


@final
class WithinGroup(_BlockSampler):
    """One subnet per step, uniform within one subspace."""

    def __init__(self, split: Split, group: int, seed: int) -> None:
        super().__init__(seed)
        self._split, self._group = split, group

    def _draw_block(self, rng: np.random.Generator) -> NDArray[np.int8]:
        return self._split.sample(self._group, BLOCK, rng)[:, None]


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
        return _drawn_by_weight(self._split, self._weights, rng)[:, None]


@final
class BalancedWithin(_BlockSampler):
    """Draws as ``Balanced`` does, but only the subnets that belong to one subspace of another split.

    Relative to each other, architectures of the subspace are as likely as in a training of the whole space.

    Args:
        bands: The split whose subspaces are drawn by weight.
        weights: Weights of the bands, all positive, so that there is something to draw in every subspace.
        split: The split of which one subspace is trained.
        group: Index of that subspace.
        seed: Seed of the draws.
    """

    def __init__(self, bands: Split, weights: NDArray[np.floating], split: Split, group: int, seed: int) -> None:
        super().__init__(seed)
        self._bands, self._weights = bands, weights / weights.sum()
        self._split, self._group = split, group

    def _draw_block(self, rng: np.random.Generator) -> NDArray[np.int8]:
        kept: list[Codes] = []
        for _ in range(_MOST_ROUNDS):
            codes = _drawn_by_weight(self._bands, self._weights, rng)
            kept.append(codes[self._split.assign(codes) == self._group])
            if sum(map(len, kept)) >= BLOCK:
                return np.concatenate(kept)[:BLOCK, None]
        raise SettingsError(
            f"sampler = 'nonlinear' draws hardly any architecture of the subspace '{self._split.names[self._group]}':"
            " merge it with a neighbour in supernet.bands, or choose supernet.sampler = 'balanced'"
        )


def _drawn_by_weight(split: Split, weights: NDArray[np.floating], rng: np.random.Generator) -> Codes:
    """Draws a subspace by weight for each step of a block, then a subnet uniformly in it, shape (BLOCK, D)."""
    groups = rng.choice(split.groups, size=BLOCK, p=weights)
    each = np.stack([split.sample(group, BLOCK, rng) for group in range(split.groups)])
    return np.asarray(each[groups, np.arange(BLOCK)])


@final
class PerGroup(_BlockSampler):
    """One subnet of every subspace per step, gradients summed: EFS-NAS's sampling (arXiv 2412.14678)."""

    def __init__(self, split: Split, seed: int) -> None:
        super().__init__(seed)
        self._split = split

    def _draw_block(self, rng: np.random.Generator) -> NDArray[np.int8]:
        return np.stack([self._split.sample(group, BLOCK, rng) for group in range(self._split.groups)], axis=1)


@final
class Sandwich(_BlockSampler):
    """The largest subnet, the smallest and some that are drawn uniformly in every step (US-Nets, arXiv 1903.05134).

    Args:
        ends: The subnets of every step, shape (2, D).
        random: Number of subnets to draw.
        split: A split of the space.
        group: The subspace to draw from; ``None`` for all of them.
        seed: Seed of the draws.
    """

    def __init__(self, ends: Codes, random: int, split: Split, group: int | None, seed: int) -> None:
        super().__init__(seed)
        self._ends, self._random, self._split, self._group = ends, random, split, group
        population = np.array([float(part) for part in split.population()])
        self._weights = population / population.sum()

    def _draw_block(self, rng: np.random.Generator) -> NDArray[np.int8]:
        always = np.broadcast_to(self._ends, (BLOCK, *self._ends.shape))
        drawn = [self._uniform(rng)[:, None] for _ in range(self._random)]
        return np.concatenate([always, *drawn], axis=1)

    def _uniform(self, rng: np.random.Generator) -> Codes:
        if self._group is None:
            return _drawn_by_weight(self._split, self._weights, rng)
        return self._split.sample(self._group, BLOCK, rng)


@final
class NearBudgets(_OfBlocks):
    """Another sampler, some of whose subnets are drawn from a list instead.

    Args:
        sampler: The other sampler.
        codes: The list, shape (N, D).
        share: Probability with which a subnet is drawn from the list.
        fixed: Number of subnets at the beginning of every step that stay.
        seed: Seed of the draws.
    """

    def __init__(self, sampler: PathSampler, codes: Codes, share: float, fixed: int, seed: int) -> None:
        self._sampler, self._codes, self._share, self._fixed, self._seed = sampler, codes, share, fixed, seed

    def block(self, number: int) -> Codes:
        """Returns the codes of a block of steps, shape (BLOCK, S, D)."""
        drawn = self._sampler.block(number).copy()
        rng = np.random.default_rng([self._seed, number, _LIST_STREAM])
        listed = rng.random(drawn.shape[:2]) < self._share
        listed[:, : self._fixed] = False
        drawn[listed] = self._codes[rng.integers(len(self._codes), size=int(listed.sum()))]
        return drawn


@final
class Mixture(_OfBlocks):
    """Two samplers that take turns at random: a soft split's own subspace, and the whole space.

    Args:
        own: Draws of the own subspace.
        common: Draws of the whole space, as many subnets a step.
        share: Probability with which a step is drawn by ``own``.
        seed: Seed of the turns.
    """

    def __init__(self, own: PathSampler, common: PathSampler, share: float, seed: int) -> None:
        self._own, self._common, self._share, self._seed = own, common, share, seed

    def block(self, number: int) -> Codes:
        """Returns the codes of a block of steps, shape (BLOCK, S, D)."""
        turns = np.random.default_rng([self._seed, number, _MIXTURE_STREAM]).random(BLOCK) < self._share
        return np.where(turns[:, None, None], self._own.block(number), self._common.block(number))


@final
class Fair(_BlockSampler):
    """Every choice of every decision once per step (FairNAS, arXiv 1907.01845, strict fairness).

    A step has as many subnets as the decision with most choices left has choices; each decision deals its choices to
    them in an order of its own. A decision with fewer choices repeats them: equally often where their number divides
    the number of subnets, otherwise some of them, drawn at random, once more than the others. In a stage of elastic
    depth the numbers of layers are dealt, and then the choices of each layer to the subnets in which it stands.

    Some subnets of a step may be cut from input to output: they belong to the permutation but have nothing to train,
    so the training leaves them out of the sum. A step of nothing but such subnets is drawn again.

    Args:
        space: The space.
        box: The choices of every decision to deal.
        seed: Seed of the draws.
        subnets: Subnets of a step, at least as many as a decision has choices in the box; by default as many.
    """

    def __init__(self, space: Space, box: Box, seed: int, subnets: int | None = None) -> None:
        super().__init__(seed)
        self._space, self._box = space, box
        self._subnets = subnets or max(map(len, box))

    def _draw_block(self, rng: np.random.Generator) -> NDArray[np.int8]:
        drawn = self._deal(BLOCK, rng)
        while len(empty := np.flatnonzero(~self._any_connected(drawn))):
            drawn[empty] = self._deal(len(empty), rng)
        return drawn

    def _deal(self, steps: int, rng: np.random.Generator) -> NDArray[np.int8]:
        """Returns dealt choices, shape (steps, S, D)."""
        columns = [self._dealt(allowed, steps, rng) for allowed in self._box]
        for run in self._space.elastic_runs:
            depths = self._dealt(depths_in(self._space, self._box, run), steps, rng)
            for place, column in enumerate(run):
                left_out = len(self._space.decisions[column].choices) - 1
                blocks = [choice for choice in self._box[column] if choice != left_out]
                stands = depths > place
                if blocks:
                    # The subnets in which the layer stands take the choices one after another.
                    turns = np.maximum(stands.cumsum(axis=1) - 1, 0)
                    columns[column] = np.take_along_axis(self._in_rounds(blocks, steps, rng), turns, axis=1)
                columns[column] = np.where(stands, columns[column], np.int8(left_out))
        return np.stack(columns, axis=2)

    def _dealt(self, allowed: Sequence[int], steps: int, rng: np.random.Generator) -> NDArray[np.int8]:
        """Returns choices dealt to the subnets of steps, shape (steps, S)."""
        return rng.permuted(self._in_rounds(allowed, steps, rng), axis=1)

    def _in_rounds(self, allowed: Sequence[int], steps: int, rng: np.random.Generator) -> NDArray[np.int8]:
        """Returns whole permutations one after another, shape (steps, S).

        They are cut where the subnets end: the cut one decides which choices repeat.
        """
        choices = np.array(allowed, dtype=np.int8)
        rounds = -(-self._subnets // len(choices))
        return rng.permuted(np.tile(choices, (steps, rounds, 1)), axis=2).reshape(steps, -1)[:, : self._subnets]

    def _any_connected(self, codes: NDArray[np.int8]) -> NDArray[np.bool_]:
        """Returns whether each step has a subnet to train, for codes (n, S, D), shape (n,)."""
        steps, subnets, decisions = codes.shape
        connected = self._space.is_connected(codes.reshape(-1, decisions)).reshape(steps, subnets)
        return np.asarray(connected.any(axis=1))

"""The architectures that a study works on: a whole space, or a bounded part of one too large to enumerate.

Draws are uniform, or balanced: as many for each number of nonlinear functions. Nearly all architectures of a chain
whose depth is chosen have nearly the largest depth, so that uniform draws say nothing about shallow and wide networks.
Balanced draws are the supernet-balanced sampling of EFS-NAS (arXiv 2412.14678) with a subspace for every count. Varied
draws are near the architectures that a space has a name for, where these are better than nearly all others.

Rows are found by comparing codes, not by their place in the space: a place in a space of 10^20 needs more than 64 bits.

Symbols:
    N: architectures of the pool.
    D: decisions of the space.
"""

from functools import cached_property
from typing import Literal, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.space import Codes, Space

_BATCH = 10_000
_NEAR = 3  # one decision in so many, at most, is drawn again in a varied draw
Draws = Literal["uniform", "balanced", "varied"]


@final
class Pool:
    """Different architectures of one space, one row each.

    Attributes:
        space: The space.
        codes: Shape (N, D).
        complete: Whether it is the whole space, in listing order.
        uniform: How many of the first rows are uniform draws, from which shares and percentiles are taken; the rows
            after them were sought.
    """

    def __init__(self, space: Space, codes: Codes, *, complete: bool, uniform: int) -> None:
        self.space = space
        self.codes = codes
        self.complete = complete
        self.uniform = uniform

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def _sorted(self) -> tuple[NDArray[np.bytes_], NDArray[np.int64]]:
        """Texts of the codes in ascending order, and the row of each."""
        texts = _texts(self.codes)
        order = np.argsort(texts, kind="stable")
        return texts[order], order

    def find(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Returns the row of each code, shape (M, D), or -1 where the pool does not have it; shape (M,)."""
        checked = self.space.check(codes)
        if self.complete:
            return self.space.index(checked)
        known, order = self._sorted
        wanted = _texts(checked)
        if not len(known):
            return np.full(len(wanted), -1, dtype=np.int64)
        places = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        return np.where(known[places] == wanted, order[places], -1)

    def rows(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Returns the row of each code, shape (M, D), all of which the pool has; shape (M,).

        Raises:
            SpaceError: If it does not have one of them.
        """
        found = self.find(codes)
        if (found < 0).any():
            missing = self.space.digits(np.asarray(codes)[found < 0][:1])[0]
            raise SpaceError(
                f"architecture {missing} is not among the {len(self):,} that the study holds of {self.space.name}"
            )
        return found

    def extended(self, codes: ArrayLike) -> "Pool":
        """Returns the pool with more codes, shape (M, D), where it does not have them; its rows stay where they are."""
        checked = self.space.check(codes)
        fresh = checked[self.find(checked) < 0]
        if not len(fresh):
            return self
        _, first = np.unique(_texts(fresh), return_index=True)
        every = np.concatenate([self.codes, fresh[np.sort(first)]])
        return Pool(self.space, every, complete=False, uniform=self.uniform)

    @cached_property
    def representatives(self) -> NDArray[np.int64]:
        """The row that stands for each row's isomorphism class, shape (N,): the first of the class in the pool."""
        if self.complete:
            return self.space.index(self.space.canonical(self.codes))
        _, first, inverse = np.unique(self.space.canonical_keys(self.codes), return_index=True, return_inverse=True)
        return np.asarray(first[inverse], dtype=np.int64)


def whole_pool(space: Space) -> Pool:
    """Returns every architecture of a space.

    Raises:
        SpaceError: If it is too large to list.
    """
    codes = space.all_codes()
    return Pool(space, codes, complete=True, uniform=len(codes))


def drawn_pool(space: Space, count: int, rng: np.random.Generator) -> Pool:
    """Returns different architectures that lead from input to output, drawn uniformly, shape (count, D).

    Args:
        space: A space with many more architectures than are drawn.
        count: How many; fewer are drawn where nearly all architectures lead nowhere.
        rng: Source of randomness; with one state, fewer architectures are the first of more.

    Raises:
        SpaceError: If no architecture was found that leads from input to output.
    """
    pool = Pool(space, space.sample(0, rng), complete=False, uniform=0)
    # So many rounds are enough even if one architecture in ten computes something.
    for _ in range(10 * (count // _BATCH + 1)):
        drawn = space.sample(_BATCH, rng)
        pool = pool.extended(drawn[space.is_connected(drawn)])
        if len(pool) >= count:
            break
    if not len(pool):
        raise SpaceError(f"no architecture of {space.name} was found that leads from input to output")
    kept = pool.codes[:count]
    return Pool(space, kept, complete=False, uniform=len(kept))


def _texts(codes: Codes) -> NDArray[np.bytes_]:
    """Returns one byte string per code, in the order of the codes, shape (N,)."""
    # numpy drops zeros at the end of a byte string, so that choices are written from 1 on.
    shifted = np.ascontiguousarray(codes.astype(np.uint8) + 1)
    return shifted.view(f"S{codes.shape[1]}").reshape(-1)


def draw(space: Space, size: int, draws: Draws, rng: np.random.Generator) -> Codes:
    """Returns effective codes of connected architectures, shape (M, D), M near ``size``; some may repeat.

    Args:
        space: The search space.
        size: Number to draw.
        draws: Kind of draws.
        rng: Source of randomness.

    Raises:
        SpaceError: If they are variations, and the space has no names for architectures.
    """
    if draws == "varied":
        if not space.known:
            raise SpaceError(f"{space.name} has no architectures with a name, of which draws could be variations")
        parents = space.effective(np.stack(list(space.known.values())))
        return varied(space, parents, size, rng)
    if draws == "uniform":
        codes = space.effective(space.sample(size, rng))
        return codes[space.is_connected(codes)]
    counts = space.counts
    each = -(-size // len(counts.populations()))
    codes = space.effective(np.concatenate([counts.draw(count, each, rng) for count in counts.populations()]))
    return codes[rng.permutation(len(codes))]


def varied(space: Space, parents: Codes, count: int, rng: np.random.Generator) -> Codes:
    """Returns effective codes of connected variations, shape (M, D), M at most ``count``; some may repeat.

    Each variation has a parent, all equally likely, and draws a number of its decisions again. Every number from one to
    a third of the decisions is equally likely.

    Args:
        space: The search space.
        parents: Codes, shape (P, D), P at least 1.
        count: Number of variations to draw.
        rng: Source of randomness.
    """
    codes = parents[rng.integers(0, len(parents), count)]
    order = rng.random(codes.shape).argsort(axis=1)  # of each decision, among the ones that may be drawn again
    changes = rng.integers(1, -(-space.num_decisions // _NEAR) + 1, (count, 1))
    codes = np.where(order < changes, rng.integers(0, _choices(space), codes.shape), codes).astype(np.int8)
    codes = space.effective(codes)
    return codes[space.is_connected(codes)]


def _choices(space: Space) -> list[int]:
    return [len(decision.choices) for decision in space.decisions]


def in_turns(space: Space, codes: Codes, draws: Draws) -> Codes:
    """Returns the same architectures, (N, D), in an order of which any first part is a fair draw.

    Balanced draws take counts of nonlinear functions in turns; others stay as they are.
    """
    if draws != "balanced" or not len(codes):
        return codes
    counts = space.nonlinear_count(codes)
    turn = np.zeros(len(codes), dtype=np.int64)
    for count in np.unique(counts):
        mine = np.flatnonzero(counts == count)
        turn[mine] = np.arange(len(mine))
    return codes[np.argsort(turn, kind="stable")]

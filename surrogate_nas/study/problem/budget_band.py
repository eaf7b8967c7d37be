"""Draws architectures to label just below the budgets, where the answer lies.

Uniform draws of a large space cost far more, or far less, than most budgets allow, so that few labels are of
architectures between which a budget decides.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.costs.budget import Budget
from surrogate_nas.space.pool import Draws, draw, in_turns, varied
from surrogate_nas.space.space import Codes, Space

_BATCH, _MOST_DRAWS = 10_000, 1_000_000
_TO_CHOOSE_FROM: dict[Draws, int] = {"uniform": 1, "balanced": 4, "varied": 1}
"""Draws for each that is taken: few draws near a budget have a rare count of nonlinear functions."""
Evaluate = Callable[[Codes], Mapping[str, NDArray[np.float64]]]


@dataclass(frozen=True)
class BudgetBand:
    """Architectures that keep a set of budgets, and use at least a part of one of them.

    Attributes:
        budgets: The budgets.
        width: How far the band reaches down: 2 reaches to half of a budget.
    """

    budgets: Sequence[Budget]
    width: float

    def holds(self, costs: Mapping[str, NDArray[np.float64]]) -> NDArray[np.bool_]:
        """Returns which of some architectures lie in the band, by their costs, shape (N,) each."""
        used = np.max([1 + budget.violation(costs[budget.cost]) for budget in self.budgets], axis=0)
        return np.asarray((used <= 1) & (used >= 1 / self.width))


@dataclass(frozen=True)
class PricedDraws:
    """Architectures that are drawn, and what they cost.

    Attributes:
        space: The search space.
        evaluate: Returns the costs of architectures, codes (N, D) to (N,) each.
        draws: Kind of draws.
        parents: Architectures of which all draws are variations, shape (P, D); None for draws from the whole space.
    """

    space: Space
    evaluate: Evaluate
    draws: Draws = "uniform"
    parents: Codes | None = None

    def draw(self, size: int, rng: np.random.Generator) -> Codes:
        """Returns effective codes of connected architectures, shape (M, D), M near ``size``; some may repeat."""
        if self.parents is None:
            return draw(self.space, size, self.draws, rng)
        return varied(self.space, self.parents, size, rng)


def draw_in_bands(source: PricedDraws, bands: Sequence[BudgetBand], count: int, rng: np.random.Generator) -> Codes:
    """Returns different connected architectures of bands, fair draws within each, as many of one as of another.

    A million architectures are tried at most, so that fewer than ``count`` come back where a band is nearly empty.

    Args:
        source: What to draw from.
        bands: At least one.
        count: How many architectures to draw.
        rng: Source of randomness.

    Returns:
        Shape (M, D), M at most ``count``.
    """
    space, draws = source.space, source.draws
    shares = [len(part) for part in np.array_split(np.arange(count), len(bands))]
    found: list[dict[bytes, Codes]] = [{} for _ in bands]
    for _ in range(_MOST_DRAWS // _BATCH):
        codes = source.draw(_BATCH, rng)
        costs = source.evaluate(codes)
        for band, kept in zip(bands, found, strict=True):
            for code in codes[band.holds(costs)]:
                kept.setdefault(code.tobytes(), code)
        enough = _TO_CHOOSE_FROM[draws]
        if all(len(kept) >= enough * share for kept, share in zip(found, shares, strict=True)):
            break
    distinct: dict[bytes, Codes] = {}
    for kept, share in zip(found, shares, strict=True):
        each = np.array(list(kept.values()), dtype=np.int8).reshape(-1, space.num_decisions)
        distinct |= {code.tobytes(): code for code in in_turns(space, each, draws)[:share]}
    return np.array(list(distinct.values()), dtype=np.int8).reshape(-1, space.num_decisions)

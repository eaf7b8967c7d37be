"""Finds the largest width whose cost keeps a bound, with few evaluations of a cost that rises with the width."""

import math
from bisect import bisect_right
from collections.abc import Sequence

_GUESSES = 3  # that follow a power law; halving what is left comes after them
_POWER = 2.0  # of the width, by which costs rise at most: until two are known, they are taken to rise so


class WidthSearch:
    """A search among widths.

    Call order: ``tell`` the cost at the width that ``next`` names, until that is None.

    Args:
        widths: Rising; also an attribute.
        limit: The bound, above 0.
        first: A first guess of the width.
    """

    def __init__(self, widths: Sequence[float], limit: float, first: float) -> None:
        self.widths, self._limit, self._first = widths, limit, first
        self._costs: dict[int, float] = {}

    @property
    def best(self) -> int | None:
        """Position of the largest width that is known to keep the bound."""
        return max((index for index, cost in self._costs.items() if cost <= self._limit), default=None)

    def next(self, *, is_last: bool = False) -> int | None:
        """Returns the position of the width to evaluate next; None once the answer is known.

        Args:
            is_last: Whether there is one evaluation left; where nothing keeps the bound yet, it is of the smallest.
        """
        low = -1 if self.best is None else self.best
        high = min((index for index, cost in self._costs.items() if cost > self._limit), default=len(self.widths))
        if high - low <= 1:
            return None
        if is_last and low < 0:
            return 0
        guess = (low + high) // 2 if len(self._costs) >= _GUESSES else bisect_right(self.widths, self._guess()) - 1
        return min(max(guess, low + 1), high - 1)

    def tell(self, index: int, cost: float) -> None:
        """Takes the cost at the width of a position."""
        self._costs[index] = cost

    def _guess(self) -> float:
        """Returns the width at which the bound is met, by the two costs that are nearest to it."""
        near = sorted(self._costs, key=lambda index: abs(math.log(self._costs[index] / self._limit)))[:2]
        if not near:
            return self._first
        power = _POWER
        if len(near) > 1:
            (width, cost), (other, its_cost) = ((self.widths[index], self._costs[index]) for index in near)
            power = math.log(cost / its_cost) / math.log(width / other)
        power = min(max(power, 1 / _POWER), _POWER)
        return float(self.widths[near[0]] * (self._limit / self._costs[near[0]]) ** (1 / power))

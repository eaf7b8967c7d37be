"""Learning rates over training."""

import math
from collections.abc import Sequence
from typing import Protocol, final


class Schedule(Protocol):
    """The learning rate of one subnet at one step."""

    def rate(self, step: int, code: Sequence[int]) -> float:
        """Learning rate at a step, counted from 0, for an architecture, length D."""


@final
class Cosine:
    """Half a cosine from ``first`` at step 0 to ``last`` at step ``steps``, the same for every subnet."""

    def __init__(self, first: float, last: float, steps: int) -> None:
        self._first, self._last, self._steps = first, last, steps

    def rate(self, step: int, code: Sequence[int]) -> float:  # noqa: ARG002 - the rule ignores the subnet
        """Learning rate at a step."""
        return self._last + (self._first - self._last) * (1 + math.cos(math.pi * step / self._steps)) / 2

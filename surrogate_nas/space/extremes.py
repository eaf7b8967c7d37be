"""The smallest and the largest of a number over a space.

``smallest`` does without a list. Where the number is a sum over decisions, as parameters and multiply-accumulates of a
chain of layers are, the result is exact; elsewhere it is what no architecture that differs in one decision beats.
"""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Codes, Space

_PASSES = 20

# Codes of shape (N, D) to numbers of shape (N,).
Measure = Callable[[Codes], NDArray[np.float64]]


def smallest(space: Space, measure: Measure, start: Codes) -> Codes:
    """Returns an architecture with the smallest measure, shape (D,), by going from one decision to the next.

    Args:
        space: The space.
        measure: What is made small; infinite for architectures that are not wanted.
        start: Codes to begin with, shape (N, D), at least one.
    """
    code: Codes = start[np.argmin(measure(start))].copy()
    for _ in range(_PASSES):
        before = code.copy()
        for column, decision in enumerate(space.decisions):
            options = np.repeat(code[None], len(decision.choices), axis=0)
            options[:, column] = np.arange(len(decision.choices))
            values = measure(options)
            best = int(np.argmin(values))
            if values[best] < values[code[column]]:
                code = options[best]
        if np.array_equal(code, before):
            break
    return code


@runtime_checkable
class RangedSpace(Protocol):
    """A space that knows the range of its sizes without a list."""

    def parameter_range(self, network: NetworkSpec) -> tuple[int, int]:
        """Returns the fewest and the most parameters of connected architectures, dead operations left out."""


def parameter_range(space: Space, network: NetworkSpec) -> tuple[int, int]:
    """Returns the fewest and the most parameters of connected architectures, dead operations left out.

    Raises:
        SpaceError: If only an enumeration could decide it, and the space is too large for one.
    """
    if isinstance(space, RangedSpace):
        return space.parameter_range(network)
    codes = space.all_codes()
    sizes = space.parameters(space.effective(codes[space.is_connected(codes)]), network)
    return int(sizes.min()), int(sizes.max())


def largest_count(space: Space, network: NetworkSpec) -> int:
    """Returns the most nonlinear functions that the searched layers of a network have together."""
    most = space.counts.draw(max(space.counts.populations()), 1, np.random.default_rng(0))[0]
    return sum(space.layer_counts(most, [layer for layer in space.layout(network) if not layer.is_fixed]))

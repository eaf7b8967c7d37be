"""The smallest and the largest of a number over a space, without listing it.

Where the number is a sum over decisions, as parameters and multiply-accumulates of a chain of layers are, the result is
exact; elsewhere it is what no architecture that differs in one decision beats.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.space.space import Codes, Space

_PASSES = 20

# Codes of shape (N, D) to numbers of shape (N,).
Measure = Callable[[Codes], NDArray[np.float64]]


def smallest(space: Space, measure: Measure, start: Codes) -> Codes:
    """An architecture with the smallest measure, shape (D,), by going from one decision to the next.

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

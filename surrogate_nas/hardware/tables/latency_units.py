"""Units of latency tables, and the doubt about a unit that the size of the values raises."""

import numpy as np
from numpy.typing import NDArray

UNITS = {"auto": 1.0, "us": 1e-3, "ms": 1.0, "s": 1e3}
"""Unit of a latency table to its size in milliseconds."""

UNLIKELY_LOW_MS, UNLIKELY_HIGH_MS = 0.25, 5000.0
"""A median outside more often means a table in seconds or microseconds than networks that are so fast or slow."""


def unlikely_unit(values: NDArray[np.float64]) -> str | None:
    """Returns the unit that latencies, shape (N,), above zero, look like; None where they may be milliseconds."""
    middle = float(np.median(values)) if len(values) else UNLIKELY_LOW_MS
    if UNLIKELY_LOW_MS <= middle <= UNLIKELY_HIGH_MS:
        return None
    return "seconds" if middle < UNLIKELY_LOW_MS else "microseconds"


def doubt_of_unit(values: NDArray[np.float64]) -> str | None:
    """Returns a sentence where latencies, shape (N,), above zero, hardly are milliseconds of whole networks."""
    word = unlikely_unit(values)
    if word is None:
        return None
    return (
        f"the median is {np.median(values):.6g}, which looks like {word} rather than milliseconds;"
        f" set hardware.latency_unit to {'s' if word == 'seconds' else 'us'} if so, to ms if not"
    )

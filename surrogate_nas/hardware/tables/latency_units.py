"""Units of latency tables, and the doubt about a unit that the size of the values raises."""

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.hardware.tables.column_units import says_milliseconds, unit_of_time

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


def doubt_of_unit(values: NDArray[np.float64], column: str, unit: str = "auto") -> str | None:
    """Returns a sentence where a column's latencies hardly have their unit.

    Args:
        values: The latencies in milliseconds by that unit, shape (N,), above zero.
        column: Name of the column, which has the first word.
        unit: The unit that the user gave, a key of ``UNITS``, which is doubted where the name says milliseconds alone.
    """
    if unit in ("s", "us") and says_milliseconds(column):
        return f"its name says milliseconds, and hardware.latency_unit (--unit) is {unit}; set that to ms, or rename it"
    if unit != "auto":
        return None
    named = unit_of_time(column)
    word = named or unlikely_unit(values)
    if word is None:
        return None
    why = f"its name says {word}" if named else f"the median is {np.median(values):.6g}, which looks like {word}"
    key = {"seconds": "s", "microseconds": "us"}.get(word)
    how = "convert it" if key is None else f"set hardware.latency_unit to {key}"
    return f"{why} rather than milliseconds; {how} if so, {'or set hardware.latency_unit ' * (key is None)}to ms if not"

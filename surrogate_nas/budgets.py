"""Costs by name and unit, and budgets that bound them.

A budget is asked for as text, either absolute (``5ms``, ``50M``) or as a percentile of the space's own costs (``40%``),
and becomes a number once those costs are known. Violations have one sign everywhere: at most 0 is feasible.
"""

import math
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.errors import BudgetError

_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(\S*)", re.ASCII)
_COUNT_UNITS = {"K": 1e3, "M": 1e6, "G": 1e9}


@dataclass(frozen=True)
class CostKind:
    """What a cost is called and how it is written.

    Attributes:
        title: Words for people.
        option: The command-line option that bounds it.
        units: Unit to its size in the cost's stored unit.
        example: A budget that is right.
    """

    title: str
    option: str
    units: dict[str, float]
    example: str


COSTS: dict[str, CostKind] = {
    "latency_ms": CostKind("latency", "--latency-budget", {"us": 1e-3, "µs": 1e-3, "ms": 1.0, "s": 1e3}, "5ms"),
    "flops": CostKind("FLOPs (multiply-accumulates)", "--flops-budget", _COUNT_UNITS, "50M"),
    "params": CostKind("parameters", "--params-budget", _COUNT_UNITS, "1M"),
}


@dataclass(frozen=True)
class Budget:
    """An upper bound on one cost, in the cost's stored unit (ms, or a plain count)."""

    cost: str
    limit: float

    def violation(self, values: NDArray[np.floating] | NDArray[np.integer]) -> NDArray[np.float64]:
        """Relative excess ``values / limit - 1``, shape (N,); at most 0 is feasible."""
        return np.asarray(values, dtype=np.float64) / self.limit - 1.0

    def __str__(self) -> str:
        return f"{COSTS[self.cost].title} at most {format_cost(self.cost, self.limit)}"


@dataclass(frozen=True)
class BudgetRequest:
    """A budget as it was asked for: absolute (``limit``) or a percentile of the space's costs (``percent``)."""

    cost: str
    text: str
    limit: float | None = None
    percent: float | None = None

    def resolve(self, values: NDArray[np.floating] | NDArray[np.integer]) -> Budget:
        """The bound as a number, given the cost of every architecture, shape (N,).

        A percentile is taken as one of the values themselves, so that at least one architecture meets it.

        Raises:
            BudgetError: If a percentile is asked for and the costs are none, or not all of them are numbers.
        """
        if self.limit is not None:
            return Budget(self.cost, self.limit)
        assert self.percent is not None
        if not len(values) or np.isnan(values).any():
            got = "NaN among them" if len(values) else "none"
            raise BudgetError(f"{COSTS[self.cost].option} {self.text} needs the costs of architectures (got {got})")
        return Budget(self.cost, float(np.percentile(values, self.percent, method="higher")))


def parse_budget(cost: str, text: str) -> BudgetRequest:
    """Reads a budget such as ``5ms``, ``50M`` or ``40%``.

    Args:
        cost: Key of ``COSTS``.
        text: Number and unit.

    Raises:
        BudgetError: If the cost is unknown, the unit is missing or wrong, or the number is not a positive one (for a
            percentile: not in (0, 100]).
    """
    if cost not in COSTS:
        raise BudgetError(f"unknown cost {cost!r}; choose from {', '.join(COSTS)}")
    kind = COSTS[cost]
    # The micro sign has two code points that look alike; both are typed.
    match = _NUMBER.fullmatch(text.strip().replace("\u03bc", "µ"))
    if match is None:
        raise BudgetError(f"{kind.option} must be a number with a unit, such as {kind.example} or 40% (got {text!r})")
    number, unit = float(match[1]), match[2]
    choices = ", ".join([*kind.units, "%"])
    if not unit:
        raise BudgetError(f"{kind.option} needs a unit, one of {choices}, such as {kind.example} (got {text!r})")
    if not math.isfinite(number) or number <= 0:
        raise BudgetError(f"{kind.option} must be a finite number above zero (got {text!r})")
    if unit == "%":
        if number > 100:
            raise BudgetError(f"{kind.option} as a percentile must be at most 100% (got {text!r})")
        return BudgetRequest(cost, text, percent=number)
    factor = kind.units.get(unit, kind.units.get(unit.upper() if kind.units is _COUNT_UNITS else unit.lower()))
    if factor is None:
        raise BudgetError(f"{kind.option} has an unknown unit {unit!r}; use one of {choices} (got {text!r})")
    limit = number * factor
    # The unit may take a number across the ends of what can be represented.
    if not 0 < limit < math.inf:
        raise BudgetError(f"{kind.option} must be a finite number above zero (got {text!r})")
    return BudgetRequest(cost, text, limit=limit)


def format_cost(cost: str, value: float) -> str:
    """A cost for people: ``4.97 ms``, ``41.2 M``."""
    if cost == "latency_ms":
        return f"{value:.3g} ms" if value < 100 else f"{value:.0f} ms"
    for unit, size in (("G", 1e9), ("M", 1e6), ("K", 1e3)):
        # What three digits round up to a thousand of one unit is one of the next.
        if abs(value) >= 0.9995 * size:
            return f"{value / size:.3g} {unit}" if value / size < 100 else f"{value / size:.0f} {unit}"
    return f"{value:.0f}"

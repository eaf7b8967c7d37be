"""Budgets: upper bounds on costs, as the user writes them and as numbers.

A budget is written as text, either absolute (``5ms``, ``50M``) or as a percentile of the space's own costs (``40%``),
and becomes a number once those costs are known. Violations have one sign everywhere: at most 0 is feasible.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from surrogate_nas._support.words import choose_from
from surrogate_nas.costs.cost import BOUNDED, COSTS, cost_on, format_cost, split_cost
from surrogate_nas.errors import BudgetError

_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(\S*)", re.ASCII)
_BITS = frozenset({"Kb", "Mb", "Gb", "Kib", "Mib", "Gib"})
_THOUSANDS = re.compile(r"\d{3}(?!\d)", re.ASCII)
_DECIMAL_COMMA = re.compile(r"\s*((?:[^,=]+=)?\s*\d+),(\d+\s*[^\s\d,=]+)\s*", re.ASCII)


@dataclass(frozen=True)
class Budget:
    """An upper bound on one cost, in the cost's stored unit (ms, or a plain count)."""

    cost: str
    limit: float

    def violation(self, values: NDArray[np.floating] | NDArray[np.integer]) -> NDArray[np.float64]:
        """Returns the relative excess ``values / limit - 1``, shape (N,); at most 0 is feasible."""
        return np.asarray(values, dtype=np.float64) / self.limit - 1.0

    def __str__(self) -> str:
        return f"{COSTS[self.cost].title} at most {format_cost(self.cost, self.limit)}"


def total_excess(
    budgets: Sequence[Budget], costs: Mapping[str, NDArray[np.floating] | NDArray[np.integer]]
) -> NDArray[np.float64]:
    """Returns the sum over budgets of the relative excess, shape (N,); 0 where all of them are kept.

    Args:
        budgets: At least one.
        costs: Name of every bounded cost to its values, shape (N,) each.
    """
    over = [np.maximum(budget.violation(costs[budget.cost]), 0) for budget in budgets]
    return np.asarray(np.sum(over, axis=0), dtype=np.float64)


def within(
    budgets: Sequence[Budget], costs: Mapping[str, NDArray[np.floating] | NDArray[np.integer]]
) -> NDArray[np.bool_]:
    """Returns true where all budgets are kept, shape (N,); everywhere if there are none.

    Args:
        budgets: The bounds.
        costs: Name of every bounded cost to its values, shape (N,) each; at least one cost.
    """
    everywhere = np.ones(len(next(iter(costs.values()))), dtype=bool)
    return np.asarray(np.all([everywhere, *(one.violation(costs[one.cost]) <= 0 for one in budgets)], axis=0))


@dataclass(frozen=True)
class BudgetRequest:
    """A budget as the user wrote it: absolute (``limit``) or a percentile of the space's costs (``percent``)."""

    cost: str
    text: str
    limit: float | None = None
    percent: float | None = None

    def resolve(self, values: NDArray[np.floating] | NDArray[np.integer]) -> Budget:
        """Returns the bound as a number, given the cost of every architecture, shape (N,).

        A percentile is taken as one of the values themselves, so that at least one architecture meets it.

        Raises:
            BudgetError: If it is a percentile and the costs are none, or not all of them are numbers.
        """
        if self.limit is not None:
            return Budget(self.cost, self.limit)
        if self.percent is None:
            raise BudgetError(f"{COSTS[self.cost].option} {self.text} has neither a limit nor a percentile")
        if not len(values) or np.isnan(values).any():
            got = "NaN among them" if len(values) else "none"
            raise BudgetError(f"{COSTS[self.cost].option} {self.text} needs the costs of architectures (got {got})")
        return Budget(self.cost, float(np.percentile(values, self.percent, method="higher")))


def parse_budget(cost: str, text: str) -> BudgetRequest:
    """Reads a budget such as ``5ms``, ``50M`` or ``40%``, or ``pixel3=5ms`` for one on a device.

    Args:
        cost: Key of ``COSTS``.
        text: Number and unit.

    Raises:
        BudgetError: If the cost is unknown, the unit is missing or wrong, or the number is not a positive one (for a
            percentile: not in (0, 100]).

    Example:
        >>> from surrogate_nas import parse_budget
        >>> parse_budget("latency_ms", "5ms").limit
        5.0
        >>> str(parse_budget("flops", "50%").resolve([1e6, 2e6, 3e6]))
        'FLOPs (multiply-accumulates) at most 2 M'
    """
    if cost not in COSTS:
        raise BudgetError(f"unknown cost {cost!r}; {choose_from(COSTS, cost)}")
    if "=" in text:
        device, _, bound = text.partition("=")
        if not device.strip() or split_cost(cost)[1] is not None:
            raise BudgetError(
                f"{COSTS[cost].option} on a device is written DEVICE={COSTS[cost].example} (got {text!r})"
            )
        if device.strip() in BOUNDED:
            raise BudgetError(
                f"{device.strip()} is a cost and no device: separate budgets of several costs by semicolons, such as"
                f" '{COSTS[cost].key}={COSTS[cost].example}; {text.strip()}'"
            )
        return parse_budget(cost_on(cost, device.strip()), bound)
    kind = COSTS[cost]
    # The micro sign has two code points of the same look; people type both.
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
    whatever_case = {name.lower(): size for name, size in kind.units.items()}
    is_mega = kind.key == "energy" and unit[0] == "M"  # which is no millijoule
    factor = kind.units.get(unit, None if is_mega else whatever_case.get(unit.lower()))
    if unit in _BITS and factor is not None:
        raise BudgetError(f"{kind.option} is in bytes, and {unit} may be bits; write {unit[:-1]}B (got {text!r})")
    if factor is None:
        others = [COSTS[name].option for name in BOUNDED.values() if unit in COSTS[name].units]
        meant = f", or set {', '.join(others)}" if others else ""
        raise BudgetError(f"{kind.option} has an unknown unit {unit!r}; use one of {choices}{meant} (got {text!r})")
    limit = number * factor
    # The unit may take a number across the ends of what can be represented.
    if not 0 < limit < math.inf:
        raise BudgetError(f"{kind.option} must be a finite number above zero (got {text!r})")
    return BudgetRequest(cost, text, limit=limit)


@dataclass(frozen=True)
class BudgetRequests:
    """Budgets on one cost, written as one text: ``5ms``, or ``pixel3=5ms, raspi4=30ms`` on devices.

    Attributes:
        text: The text.
        requests: A budget for each device that it names, or one.
    """

    text: str
    requests: tuple[BudgetRequest, ...]

    @classmethod
    def parse(cls, cost: str, text: str) -> Self:
        """Reads budgets that are separated by commas.

        Raises:
            BudgetError: If one is malformed, or two bound the same cost.
        """
        if cost in COSTS and (decimal := _DECIMAL_COMMA.fullmatch(text)) is not None:
            right = repr(f"{decimal[1]}.{decimal[2]}")
            if _THOUSANDS.match(decimal[2]):
                right = f"{decimal[1] + decimal[2]!r}, or {right} if that is meant"
            raise BudgetError(f"{COSTS[cost].option} takes no comma in a number; write {right} (got {text!r})")
        asked = tuple(parse_budget(cost, part.strip()) for part in text.split(","))
        names = [request.cost for request in asked]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise BudgetError(f"{COSTS[cost].option} bounds the {COSTS[twice].title} more than once (got {text!r})")
        return cls(text, asked)


@dataclass(frozen=True)
class BudgetSet:
    """Budgets that are to hold together, written as one text: ``latency=3ms; flops=50M``.

    Attributes:
        text: The text.
        requests: A budget for each cost that it names.
    """

    text: str
    requests: tuple[BudgetRequest, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads budgets that are separated by semicolons, each with the key of its cost.

        Raises:
            BudgetError: If one is malformed, or two bound the same cost.
        """
        asked: list[BudgetRequest] = []
        for part in text.split(";"):
            key, separator, bound = part.strip().partition("=")
            if not separator or key not in BOUNDED:
                raise BudgetError(
                    f"--also-budget is written COST=BOUND, such as latency=3ms or 'latency=3ms; flops=50M', with one of"
                    f" {', '.join(BOUNDED)}, and on a device latency=raspi4=3ms (got {text!r})"
                )
            try:
                asked += BudgetRequests.parse(BOUNDED[key], bound).requests
            except BudgetError as error:
                option = COSTS[BOUNDED[key]].option
                raise BudgetError(str(error).replace(option, f"--also-budget {key}", 1)) from None
        names = [request.cost for request in asked]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise BudgetError(f"--also-budget bounds the {COSTS[twice].title} more than once (got {text!r})")
        return cls(text, tuple(asked))

"""Costs by name and unit, and budgets that bound them.

A budget is asked for as text, either absolute (``5ms``, ``50M``) or as a percentile of the space's own costs (``40%``),
and becomes a number once those costs are known. Violations have one sign everywhere: at most 0 is feasible.
"""

import math
import re
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.errors import BudgetError

_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(\S*)", re.ASCII)
_COUNT_UNITS = {"K": 1e3, "M": 1e6, "G": 1e9}
_BYTE_UNITS = {"KB": 1e3, "MB": 1e6, "GB": 1e9}


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


_TIME_UNITS = {"us": 1e-3, "µs": 1e-3, "ms": 1.0, "s": 1e3}

LATENCY_UPPER = "latency_upper_ms"
"""What a predicted latency keeps with the study's confidence: in lookup tables, where latency budgets bind it."""

_ON_DEVICE = re.compile(r"(?P<base>\w+)\[(?P<device>[^\[\]]+)\]")


class _Costs(dict[str, CostKind]):
    """Costs by name; ``latency_ms[pixel3]`` is the latency on another device than the study's own."""

    def __missing__(self, name: str) -> CostKind:
        base, device = split_cost(name)
        if device is None:
            raise KeyError(name)
        kind = self[base]
        return replace(kind, title=f"{kind.title} on {device}")

    def __contains__(self, name: object) -> bool:
        return dict.__contains__(self, split_cost(name)[0] if isinstance(name, str) else name)


def split_cost(name: str) -> tuple[str, str | None]:
    """A cost's name without its device, and the device; None where the name has none."""
    match = _ON_DEVICE.fullmatch(name)
    return (match["base"], match["device"]) if match else (name, None)


def cost_on(base: str, device: str) -> str:
    """The name of a cost on a device: ``latency_ms[pixel3]``."""
    return f"{base}[{device}]"


COSTS: dict[str, CostKind] = _Costs(
    {
        "latency_ms": CostKind("latency", "--latency-budget", _TIME_UNITS, "5ms"),
        "flops": CostKind("FLOPs (multiply-accumulates)", "--flops-budget", _COUNT_UNITS, "50M"),
        "params": CostKind("parameters", "--params-budget", _COUNT_UNITS, "1M"),
        "memory_bytes": CostKind("activations (peak memory)", "--memory-budget", _BYTE_UNITS, "2MB"),
        LATENCY_UPPER: CostKind("latency kept with confidence", "--latency-budget", _TIME_UNITS, "5ms"),
        "energy_mj": CostKind("energy", "--energy-budget", {"uJ": 1e-3, "mJ": 1.0, "J": 1e3}, "5mJ"),
    }
)


_PLAIN_UNITS = {"latency_ms": "ms", LATENCY_UPPER: "ms", "energy_mj": "mJ"}


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
    """Reads a budget such as ``5ms``, ``50M`` or ``40%``, or ``pixel3=5ms`` for one on a device.

    Args:
        cost: Key of ``COSTS``.
        text: Number and unit.

    Raises:
        BudgetError: If the cost is unknown, the unit is missing or wrong, or the number is not a positive one (for a
            percentile: not in (0, 100]).
    """
    if cost not in COSTS:
        raise BudgetError(f"unknown cost {cost!r}; choose from {', '.join(COSTS)}")
    if "=" in text:
        device, _, bound = text.partition("=")
        if not device.strip() or split_cost(cost)[1] is not None:
            raise BudgetError(f"{COSTS[cost].option} on a device is written DEVICE=5ms (got {text!r})")
        return parse_budget(cost_on(cost, device.strip()), bound)
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
    whatever_case = {name.lower(): size for name, size in kind.units.items()}
    factor = kind.units.get(unit, whatever_case.get(unit.lower()))
    if factor is None:
        raise BudgetError(f"{kind.option} has an unknown unit {unit!r}; use one of {choices} (got {text!r})")
    limit = number * factor
    # The unit may take a number across the ends of what can be represented.
    if not 0 < limit < math.inf:
        raise BudgetError(f"{kind.option} must be a finite number above zero (got {text!r})")
    return BudgetRequest(cost, text, limit=limit)


def parse_budgets(cost: str, text: str) -> list[BudgetRequest]:
    """Reads budgets on one kind of cost separated by commas, each on a device of its own: ``pixel3=5ms, raspi4=30ms``.

    Raises:
        BudgetError: If one is malformed, or two bound the same cost.
    """
    asked = [parse_budget(cost, part.strip()) for part in text.split(",")]
    names = [request.cost for request in asked]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BudgetError(f"{COSTS[cost].option} bounds the {COSTS[twice].title} more than once (got {text!r})")
    return asked


def format_cost(cost: str, value: float) -> str:
    """A cost for people: ``4.97 ms``, ``41.2 M``."""
    cost = split_cost(cost)[0]
    if cost in _PLAIN_UNITS:
        return f"{value:.3g} {_PLAIN_UNITS[cost]}" if value < 100 else f"{value:.0f} {_PLAIN_UNITS[cost]}"
    byte = "B" if cost == "memory_bytes" else ""
    for unit, size in (("G", 1e9), ("M", 1e6), ("K", 1e3)):
        # What three digits round up to a thousand of one unit is one of the next.
        if abs(value) >= 0.9995 * size:
            return f"{value / size:.3g} {unit}{byte}" if value / size < 100 else f"{value / size:.0f} {unit}{byte}"
    return f"{value:.0f} {byte}".rstrip()

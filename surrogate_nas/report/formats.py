"""Figures as people read them, one way for page and terminal."""

import math
import re

from surrogate_nas.costs.cost import COSTS, format_cost
from surrogate_nas.report.facts.architectures import CostFacts, Estimate

# Escaped, since editors show each of them like a plain character that it is not.
UNKNOWN, _MINUS, _TIMES = "\u2013", "\u2212", "\u00d7"  # en dash, minus sign, multiplication sign
_KERNEL = re.compile(r"(\d)x(\d)")


def percent(value: float | None) -> str:
    """Returns an accuracy or another percentage with one decimal."""
    return UNKNOWN if value is None else f"{value:.1f}%"


def points(value: float | None) -> str:
    """Returns a difference of accuracies in percentage points."""
    return UNKNOWN if value is None else f"{_signless(value, 2)} points"


def tau(value: float | None) -> str:
    """Returns a rank correlation with two decimals and a true minus sign."""
    return UNKNOWN if value is None else _signless(value, 2).replace("-", _MINUS)


def tau_interval(estimate: Estimate) -> str:
    """Returns a rank correlation with its interval, where there is one."""
    if estimate.low is None or estimate.high is None:
        return tau(estimate.value)
    return f"{tau(estimate.value)} ({tau(estimate.low)} to {tau(estimate.high)})"


def percent_interval(estimate: Estimate) -> str:
    """Returns the interval of an accuracy, such as ``70.1 to 73.9%``."""
    if estimate.low is None or estimate.high is None:
        return UNKNOWN
    return f"{estimate.low:.1f} to {estimate.high:.1f}%"


def count(value: int | None) -> str:
    """Returns a whole number with thousands apart: ``15,625``."""
    return UNKNOWN if value is None else f"{value:,}"


def cost(name: str, value: float | None) -> str:
    """Returns a cost with its unit."""
    return UNKNOWN if value is None else format_cost(name, value)


def cost_title(name: str) -> str:
    """Returns a cost's name with a capital, as a heading has it."""
    title = COSTS[name].title
    return title[0].upper() + title[1:]


def cost_name(name: str) -> str:
    """Returns a cost's name without the explanation in brackets, where space is short."""
    return cost_title(name).split(" (")[0]


def measured(facts: CostFacts) -> str:
    """Returns a measured cost with its interquartile range: ``5.12 ms (IQR 0.2 ms)``."""
    if facts.measured is None:
        return UNKNOWN
    spread = "" if facts.measured_iqr is None else f" (IQR {format_cost(facts.cost, facts.measured_iqr)})"
    return f"{format_cost(facts.cost, facts.measured)}{spread}"


def seconds(value: float) -> str:
    """Returns a duration: ``0.4 s``, ``42 s``, ``3 min 20 s``, ``1 h 04 min``."""
    if value < 9.95:
        return f"{value:.1f} s"
    whole = math.floor(value + 0.5)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = math.floor(value / 60 + 0.5)
    return f"{minutes // 60} h {minutes % 60:02d} min"


def joules(value: float | None) -> str:
    """Returns an energy: ``850 J``, ``12.4 kJ``, ``0.35 kWh``."""
    if value is None:
        return UNKNOWN
    if value < 1000:
        return f"{value:.0f} J"
    return f"{value / 1000:.1f} kJ" if value < 360_000 else f"{value / 3.6e6:.2f} kWh"


def operation(name: str) -> str:
    """Returns an operation's name in words: ``nor_conv_3x3`` is ``conv 3×3``."""
    return _KERNEL.sub(rf"\1{_TIMES}\2", name.removeprefix("nor_").replace("_", " "))


def _signless(value: float, digits: int) -> str:
    """Returns a rounded number without a minus before zero."""
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text

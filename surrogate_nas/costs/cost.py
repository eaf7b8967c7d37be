"""The costs that the project knows: one row each, from which options, settings, units and formats follow.

A new cost is a row here and a model that computes it (``surrogate_nas.hardware.protocol.CostModel``).
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

LATENCY_UPPER = "latency_upper_ms"
"""What a predicted latency keeps with the study's confidence: in lookup tables, where latency budgets bind it."""

UPPER: Mapping[str, str] = MappingProxyType(
    {"latency_ms": LATENCY_UPPER, "ram_bytes": "ram_upper_bytes", "flash_bytes": "flash_upper_bytes"}
)
"""Cost that may be predicted to what it then keeps with the study's confidence, a column of lookup tables."""

_ON_DEVICE = re.compile(r"(?P<base>\w+)\[(?P<device>[^\[\]]+)\]")
_TIMES = {"us": 1e-3, "µs": 1e-3, "ms": 1.0, "s": 1e3}
_COUNTS = {"K": 1e3, "M": 1e6, "G": 1e9}
_BYTES = {"KB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30}
_ENERGIES = {"uJ": 1e-3, "mJ": 1.0, "J": 1e3}


@dataclass(frozen=True)
class Cost:
    """A cost: its name, its bounds and the way it is written.

    Attributes:
        key: What settings and options call it: ``latency`` gives ``budget.latency``, ``--latency-budget`` and
            ``latency_budget=``.
        title: Words for people.
        units: Unit to its size in the cost's stored unit.
        example: A budget that is right.
        stored: The stored unit in words, for readers of a lookup table.
        bound: What a budget on it bounds, for help.
        plain_unit: The one unit that it is shown in; where empty, values are shown with K, M and G.
        suffix: Follows K, M and G where it is shown, such as ``B`` for bytes.
        on_devices: Whether a budget may name a device: ``raspi4=30ms``.
        asked_for: Whether it has a budget of its own; a bound of another cost has not.
        checked: What is done to a whole network to know the cost for certain; empty where it is counted.
    """

    key: str
    title: str
    units: dict[str, float]
    example: str
    stored: str
    bound: str
    plain_unit: str = ""
    suffix: str = ""
    on_devices: bool = False
    asked_for: bool = True
    checked: str = ""

    @property
    def option(self) -> str:
        """The command-line option that bounds it."""
        return f"--{self.key}-budget"

    @property
    def keyword(self) -> str:
        """The argument that bounds it in Python."""
        return f"{self.key}_budget"


class _Costs(dict[str, Cost]):
    """Costs by name; ``latency_ms[pixel3]`` is the latency on another device than the study's own."""

    def __missing__(self, name: str) -> Cost:
        base, device = split_cost(name)
        if device is None:
            raise KeyError(name)
        cost = self[base]
        return replace(cost, title=f"{cost.title} on {device}")

    def __contains__(self, name: object) -> bool:
        return dict.__contains__(self, split_cost(name)[0] if isinstance(name, str) else name)


COSTS: dict[str, Cost] = _Costs(
    {
        "latency_ms": Cost(
            "latency",
            "latency",
            _TIMES,
            "5ms",
            "milliseconds per batch",
            "Largest latency",
            "ms",
            on_devices=True,
            checked="measured",
        ),
        "flops": Cost(
            "flops",
            "FLOPs (multiply-accumulates)",
            _COUNTS,
            "50M",
            "multiply-accumulates per image",
            "Most multiply-accumulates",
        ),
        "params": Cost("params", "parameters", _COUNTS, "1M", "trainable parameters", "Most parameters"),
        "memory_bytes": Cost(
            "memory",
            "activations (peak memory)",
            _BYTES,
            "2MB",
            "bytes per image, largest at once",
            "Highest peak of activations for one image",
            suffix="B",
        ),
        LATENCY_UPPER: Cost(
            "latency",
            "latency (confidence margin included)",
            _TIMES,
            "5ms",
            "milliseconds per batch",
            "Largest latency",
            "ms",
            asked_for=False,
        ),
        "ram_bytes": Cost(
            "ram",
            "RAM",
            _BYTES,
            "256KB",
            "bytes of the device's RAM, for one image",
            "Most RAM of a device",
            suffix="B",
            on_devices=True,
            checked="planned",
        ),
        "flash_bytes": Cost(
            "flash",
            "flash",
            _BYTES,
            "1MB",
            "bytes of the device's flash",
            "Most flash of a device",
            suffix="B",
            on_devices=True,
            checked="planned",
        ),
        "ram_upper_bytes": Cost(
            "ram",
            "RAM (confidence margin included)",
            _BYTES,
            "256KB",
            "bytes of the device's RAM, for one image",
            "Most RAM of a device",
            suffix="B",
            asked_for=False,
        ),
        "flash_upper_bytes": Cost(
            "flash",
            "flash (confidence margin included)",
            _BYTES,
            "1MB",
            "bytes of the device's flash",
            "Most flash of a device",
            suffix="B",
            asked_for=False,
        ),
        "energy_mj": Cost(
            "energy",
            "energy",
            _ENERGIES,
            "5mJ",
            "millijoules per batch",
            "Most energy; needs a latency table with a column of energy",
            "mJ",
        ),
    }
)

BOUNDED: dict[str, str] = {cost.key: name for name, cost in COSTS.items() if cost.asked_for}
"""Key of every cost that a budget may be on, to its name."""


def split_cost(name: str) -> tuple[str, str | None]:
    """Returns a cost's name without its device, and the device; None where the name has none."""
    match = _ON_DEVICE.fullmatch(name)
    return (match["base"], match["device"]) if match else (name, None)


def cost_on(base: str, device: str) -> str:
    """Returns the name of a cost on a device: ``latency_ms[pixel3]``."""
    return f"{base}[{device}]"


def upper_of(name: str) -> str | None:
    """Returns the column of the upper bound of a cost that may be predicted, on its device; None for other costs."""
    base, device = split_cost(name)
    upper = UPPER.get(base)
    return upper if upper is None or device is None else cost_on(upper, device)


def format_cost(name: str, value: float, digits: int = 3) -> str:
    """Returns a cost for people: ``4.97 ms``, ``41.2 M``.

    Args:
        name: The cost.
        value: In its stored unit.
        digits: Of the number, at least 3; before the point there may be more.
    """
    cost = COSTS[split_cost(name)[0]]
    if cost.plain_unit:
        return f"{_number(value, digits)} {cost.plain_unit}"
    for unit, size in (("G", 1e9), ("M", 1e6), ("K", 1e3)):
        # What three digits round up to a thousand of one unit is one of the next.
        if abs(value) >= 0.9995 * size:
            return f"{_number(value / size, digits)} {unit}{cost.suffix}"
    return f"{value:.0f} {cost.suffix}".rstrip()


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}g}" if abs(value) < 10 ** (digits - 1) else f"{value:.0f}"


def format_apart(name: str, value: float, limit: float) -> tuple[str, str]:
    """Returns a cost and a limit for people, with so many digits that different ones look different."""
    for digits in range(3, 10):
        texts = format_cost(name, value, digits), format_cost(name, limit, digits)
        if texts[0] != texts[1]:
            break
    return texts


def percent_over(excess: float) -> str:
    """Returns a relative excess above 0 for people, such as ``2.5%``; one that would round to 0 is not called 0."""
    text = f"{100 * excess:.1f}%"
    return "less than 0.1%" if text == "0.0%" else text


def format_reachable(name: str, value: float) -> str:
    """Returns the smallest cost of some architectures for people, rounded up: as a budget, some of them keep it."""
    scale = 10.0 ** (math.floor(math.log10(value)) - 2) if value > 0 else 1.0
    rounded = math.ceil(value / scale * (1 - 1e-12)) * scale
    return format_cost(name, rounded)

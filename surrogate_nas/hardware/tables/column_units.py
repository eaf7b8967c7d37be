"""Reads the unit in a column's name: ``dev_us`` holds no milliseconds, and ``dev_ram_kb`` no bytes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

_NAME = re.compile(r"(?P<rest>.+?)[\s_(\[-]+(?P<unit>[A-Za-z\u00b5\u03bc]+)[)\]]?")
_PART = re.compile(
    r"(?:(?P<device>.+?)[\s_-]+)?(?:peak[\s_-]+)?(?P<part>s?ram|mem|memory|flash|rom|energy)", re.IGNORECASE
)
_COSTS: Mapping[str, str] = MappingProxyType(
    {"sram": "ram_bytes", "ram": "ram_bytes", "mem": "ram_bytes", "memory": "ram_bytes"}
    | {"flash": "flash_bytes", "rom": "flash_bytes", "energy": "energy_mj"}
)
_TIMES = {"s": "seconds", "sec": "seconds", "seconds": "seconds", "us": "microseconds", "µs": "microseconds"}
_TIMES |= {"usec": "microseconds", "microseconds": "microseconds", "ns": "nanoseconds", "nanoseconds": "nanoseconds"}
_MILLISECONDS = ("ms", "msec", "milliseconds")
_ENERGIES = {"j": "joules", "uj": "microjoules", "µj": "microjoules", "nj": "nanojoules"}
_MEMORIES = {"b": "bytes", "byte": "bytes", "bytes": "bytes", "kb": "kilobytes", "kib": "kibibytes"}
_MEMORIES |= {"mb": "megabytes", "mib": "mebibytes", "gb": "gigabytes", "gib": "gibibytes"}


@dataclass(frozen=True)
class Misnamed:
    """Cost other than latency that a column's name says, in a form that a study does not read.

    Attributes:
        unit: The unit in words.
        device: Name of the device; empty where the column names none.
        costs: Costs that it may hold: one, or RAM and flash where the name leaves that open.
    """

    unit: str
    device: str
    costs: tuple[str, ...]

    @property
    def right_names(self) -> tuple[str, ...]:
        """Names of columns that a study reads."""
        return tuple(f"{self.device}_{cost}" if self.device else cost for cost in self.costs)


def unit_of_time(column: str) -> str | None:
    """Returns the unit of time in a name, in words; None for milliseconds, and where there is none."""
    match = _NAME.fullmatch(column)
    return None if match is None else _TIMES.get(_plain(match["unit"]))


def says_milliseconds(column: str) -> bool:
    """Returns whether a name says that its values are milliseconds."""
    match = _NAME.fullmatch(column)
    return match is not None and _plain(match["unit"]) in _MILLISECONDS


def misnamed(column: str) -> Misnamed | None:
    """Returns what a name says of energy or memory; None where it says nothing of them, or all that it should."""
    match = _NAME.fullmatch(column)
    if match is None:
        return None
    unit, part = _plain(match["unit"]), _PART.fullmatch(match["rest"])
    cost = None if part is None else _COSTS[part["part"].lower()]
    words = _ENERGIES if cost == "energy_mj" else _MEMORIES if cost is not None else _ENERGIES | _MEMORIES
    # A single letter is as well the name of a board.
    if unit not in words or (cost is None and len(unit) == 1):
        return None
    device = match["rest"] if part is None else part["device"] or ""
    either = ("energy_mj",) if unit in _ENERGIES else ("ram_bytes", "flash_bytes")
    found = Misnamed(words[unit], device, either if cost is None else (cost,))
    return None if column in found.right_names else found


def _plain(unit: str) -> str:
    """Returns a unit in small letters, with one of the two signs that both look like a micro."""
    return unit.lower().replace("\N{GREEK SMALL LETTER MU}", "\N{MICRO SIGN}")

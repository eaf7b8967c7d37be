"""Time and energy of a stage; energy where the processor has a counter that may be read (RAPL, on Linux).

The counters are of whole processors, other programs included, and hold neither memory of its own supply nor GPUs.
Only the administrator may read them on many machines; energy is then not known.
"""

import time
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")


class Meter:
    """Begins when it is made.

    Args:
        root: Where the kernel shows its counters.
    """

    def __init__(self, root: Path = POWERCAP) -> None:
        self._began = time.monotonic()
        # A package is intel-rapl:0; its parts, intel-rapl:0:0, are counted in it.
        # A platform's zone, psys, has the packages in it as well.
        zones = [place for place in sorted(root.glob("*-rapl:*")) if place.name.count(":") == 1]
        packages = [place for place in zones if _name(place).startswith("package")]
        self._first = {place: _read(place / "energy_uj") for place in packages}

    @property
    def seconds(self) -> float:
        """Time since the beginning."""
        return time.monotonic() - self._began

    @property
    def joules(self) -> float | None:
        """Energy since the beginning; None where it is not known. A counter may have gone round once, not more."""
        total = 0
        for place, first in self._first.items():
            last = _read(place / "energy_uj")
            if first is None or last is None:
                return None
            total += last - first if last >= first else last - first + (_read(place / "max_energy_range_uj") or 0)
        return total / 1e6 if self._first else None


def _name(zone: Path) -> str:
    try:
        return (zone / "name").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _read(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None

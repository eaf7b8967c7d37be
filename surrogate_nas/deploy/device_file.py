"""The file that goes to a microcontroller or an NPU, and the RAM and flash that a planner says it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from surrogate_nas._support.files import atomic_write
from surrogate_nas.costs.cost import format_cost
from surrogate_nas.errors import ExportError
from surrogate_nas.export.c_source import write_c_source
from surrogate_nas.export.runtimes.protocol import Source
from surrogate_nas.export.runtimes.table import CORTEX_M, EXPORTS
from surrogate_nas.hardware.planned.planners import PlannerRow, find_planner
from surrogate_nas.hardware.settings import HardwareSettings


@dataclass(frozen=True)
class DeviceFile:
    """A file with 8-bit numbers, and its plan.

    Attributes:
        file: Name of the file.
        planner: Name of the planner for people.
        costs: Planned bytes by cost: ``ram_bytes`` and ``flash_bytes``.
        sources: Names of the files that hold it as C source; none where another tool compiles it.
    """

    file: str
    planner: str
    costs: Mapping[str, float]
    sources: tuple[str, ...] = ()

    def over(self, budgets: Mapping[str, float]) -> list[str]:
        """Returns the costs whose budget it exceeds, by bounds of costs in bytes."""
        return [cost for cost, value in self.costs.items() if value > budgets.get(cost, value)]

    def words(self, cost: str, budgets: Mapping[str, float]) -> str:
        """Returns a planned cost next to its budget: ``"212 KB, within the budget of 256 KB"``."""
        text = format_cost(cost, self.costs[cost])
        if cost not in budgets:
            return text
        kept = "OVER" if cost in self.over(budgets) else "within"
        return f"{text}, {kept} the budget of {format_cost(cost, budgets[cost])}"


def runtimes_with_planner(names: tuple[str, ...], settings: HardwareSettings) -> tuple[str, ...]:
    """Returns the runtimes to export for: also the one whose file the planner takes, where it takes one."""
    row = find_planner(settings)
    own = ("litert",) if row is not None and row.ending in EXPORTS["litert"].endings else ()
    return tuple(dict.fromkeys([*names, *own]))


def plan_delivered(folder: Path, source: Source, settings: HardwareSettings) -> DeviceFile | None:
    """Returns the plan of the model that is delivered; None where the settings name no planner.

    The program for Cortex-M is written here, and the file as C source where firmware holds it as it is. A ``.tflite``
    file lies in the folder; it is None too if it does not.

    Raises:
        ExportError: If the file cannot be made or planned.
        WriteError: If it cannot be written.
    """
    row = find_planner(settings)
    if row is None:
        return None
    file = folder / (CORTEX_M if row.ending == "pte" else EXPORTS["litert"].files("int8")[0])
    if row.ending == "pte":
        content = _made(row, source)
        with atomic_write(file) as temporary:
            temporary.write_bytes(content)
    if not file.exists():
        return None
    try:
        plan = row.plan(file.read_bytes(), settings.accelerator)
    except Exception as error:  # planners raise errors of any class
        raise ExportError(f"{row.title} cannot plan {file}: {error!s:.200}") from error
    sources = write_c_source(folder, file.name, source.description) if row.embedded else ()
    return DeviceFile(file.name, row.title, {"ram_bytes": plan.ram_bytes, "flash_bytes": plan.flash_bytes}, sources)


def _made(row: PlannerRow, source: Source) -> bytes:
    try:
        return row.make(source.network_of("int8"), source.calibration)
    except Exception as error:  # converters raise errors of any class
        raise ExportError(f"the network cannot be converted for {row.title}: {error!s:.200}") from error

"""Tells columns of a latency table apart: architectures, devices, their other costs, and what a study does not read."""

import re
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from surrogate_nas._support.words import shown
from surrogate_nas.errors import CostTableError
from surrogate_nas.hardware.tables.cell_numbers import ENERGY, Kind, is_like_number, read_numbers
from surrogate_nas.hardware.tables.column_units import misnamed
from surrogate_nas.hardware.tables.text_columns import Columns

CODE_COLUMNS = ("code", "arch")
OTHER_COSTS: Mapping[str, Kind] = MappingProxyType(
    {
        "energy_mj": ENERGY,
        "ram_bytes": ("a size of RAM", "bytes"),
        "flash_bytes": ("a size of flash", "bytes"),
    }
)
"""Other costs than latency, to what their cells hold: in a column of this name, or of a device's name, an underscore
and this."""

_UNIT = re.compile(r"\s*(ns|us|µs|ms|s|uJ|mJ|J|B|bytes|KB|kB|KiB|MB|MiB)\Z")
_INDEX = re.compile(
    r"(|#|Unnamed: \d+|index|idx|id|row|__index_level_\d+__)", re.ASCII
)  # names that pandas and people give


def code_column(columns: Columns) -> str:
    """Returns the column of architectures.

    Raises:
        CostTableError: If there is none.
    """
    for name in CODE_COLUMNS:
        if name in columns.names:
            return name
    for name in columns.names:
        if name.strip().lower() in CODE_COLUMNS:
            raise CostTableError(f"{columns.path}: name the column {name.strip().lower()!r}, not {shown(name)}")
    raise CostTableError(
        f"{columns.path}: a latency table needs a column 'code' (one digit per decision) or 'arch',"
        f" separated by commas, semicolons or tabs in CSV (got {_listed(columns.names)})"
    )


def device_names(columns: Columns) -> list[str]:
    """Returns the columns that hold latencies, without texts, counted rows, architectures and other costs."""
    return [one for one in number_columns(columns) if other_cost(one) is None and misnamed(one) is None]


def other_cost(column: str) -> str | None:
    """Returns the cost that a column holds by its name; None for a latency."""
    return next((cost for cost in OTHER_COSTS if column == cost or column.endswith(f"_{cost}")), None)


def fault_of_name(column: str) -> str | None:
    """Returns why a study cannot read a column of energies or sizes that its name gives in another unit, and a remedy.

    None for other columns. Nothing is converted, as 1 KB is 1000 bytes to some and 1024 to others.
    """
    found = misnamed(column)
    if found is None:
        return None
    wanted = OTHER_COSTS[found.costs[0]][1]
    converted = "" if found.unit == wanted else f"convert it to {wanted} and "
    return f"its name says {found.unit}; {converted}call it {' or '.join(found.right_names)}"


def require_named(columns: Columns, device: str, costs: Collection[str]) -> None:
    """Refuses a column that holds a cost of a device in another unit than a study reads, and so would be passed over.

    Raises:
        CostTableError: If there is one, or no such device.
    """
    device = device_column(columns, device)
    for name in columns.names:
        found = misnamed(name)
        if found is not None and found.device in ("", device) and not {*costs}.isdisjoint(found.costs):
            raise CostTableError(f"{columns.path}, column {name}: {fault_of_name(name)}")


def other_columns(columns: Columns, device: str) -> dict[str, str]:
    """Returns the columns of a device's other costs than latency, by cost."""
    named = {cost: [name for name in (f"{device}_{cost}", cost) if name in columns.names] for cost in OTHER_COSTS}
    return {cost: names[0] for cost, names in named.items() if names}


def number_columns(columns: Columns) -> list[str]:
    """Returns the columns that hold latencies or other costs; empty ones only where all are."""
    found = [one for one in columns.names if one not in CODE_COLUMNS and _holds_numbers(columns, one)]
    return [one for one in found if any(columns.texts(one))] or found


def device_column(columns: Columns, device: str) -> str:
    """Returns the column of a device; ``auto`` takes the only one.

    Raises:
        CostTableError: If there is none, or more than one for ``auto``.
    """
    # A named column that holds no numbers is refused later, at its first cell.
    if device in columns.names and device not in CODE_COLUMNS and other_cost(device) is None:
        fault = fault_of_name(device)
        if fault is not None:
            raise CostTableError(f"{columns.path}, column {device}: {fault}; it is no latency")
        return device
    names = device_names(columns)
    if device == "auto" and len(names) == 1:
        return names[0]
    wanted = "name the device" if device == "auto" else f"unknown device {shown(device)}"
    # A column that is left out for its name alone is the likely one.
    faults = () if names else filter(None, map(_fault_of_column, columns.names))
    remedy = next(iter(faults), f"choose from the columns {_listed(names)}")
    raise CostTableError(f"{columns.path}: {wanted}; {remedy}")


def _fault_of_column(column: str) -> str | None:
    fault = fault_of_name(column)
    return None if fault is None else f"none of the columns holds latencies; of {column}, {fault}"


def _holds_numbers(columns: Columns, name: str) -> bool:
    """Returns whether at least half of the filled cells are numbers, and do not count the rows.

    Numbers with a unit, or with marks that a study does not read, count too: their faults are then said.
    """
    if not name:
        return False
    texts, numbers = columns.texts(name), read_numbers(columns, name)
    filled = sum(map(bool, texts))
    meant = sum(
        np.isfinite(number) or is_like_number(_UNIT.sub("", text)) for text, number in zip(texts, numbers, strict=True)
    )
    counts_rows = len(numbers) > 1 and _INDEX.fullmatch(name) and bool((np.diff(numbers) == 1).all())
    return bool(2 * meant >= filled) and not counts_rows


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if names else "none"

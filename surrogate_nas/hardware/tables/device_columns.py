"""Tells columns of a latency table apart: architectures, devices, energies, and what a study does not read."""

import re
from collections.abc import Sequence

import numpy as np

from surrogate_nas.errors import CostTableError
from surrogate_nas.hardware.tables.cell_numbers import read_numbers
from surrogate_nas.hardware.tables.text_columns import Columns

CODE_COLUMNS = ("code", "arch")
ENERGY_SUFFIX = "energy_mj"
"""A column of this name, or of a device's name, an underscore and this, holds energies in millijoules."""

_WITH_UNIT = re.compile(r"[+-]?[\d.,]+([eE][+-]?\d+)?\s*(us|µs|ms|s|uJ|mJ|J)", re.ASCII)
_INDEX = re.compile(r"(|Unnamed: \d+|index|id|row|__index_level_\d+__)", re.ASCII)  # names that pandas and people give


def code_column(columns: Columns) -> str:
    """Returns the column of architectures.

    Raises:
        CostTableError: If there is none.
    """
    for name in CODE_COLUMNS:
        if name in columns.names:
            return name
    raise CostTableError(
        f"{columns.path}: a latency table needs a column 'code' (one digit per decision) or 'arch',"
        f" separated by commas, semicolons or tabs in CSV (got {_listed(columns.names)})"
    )


def device_names(columns: Columns) -> list[str]:
    """Returns the columns that hold latencies, without texts, counted rows, architectures and energies."""
    return [one for one in number_columns(columns) if not one.endswith(ENERGY_SUFFIX)]


def number_columns(columns: Columns) -> list[str]:
    """Returns the columns that hold latencies or energies."""
    return [one for one in columns.names if one not in CODE_COLUMNS and _holds_numbers(columns, one)]


def device_column(columns: Columns, device: str) -> str:
    """Returns the column of a device; ``auto`` takes the only one.

    Raises:
        CostTableError: If there is none, or more than one for ``auto``.
    """
    # A named column that holds no numbers is refused later, at its first cell.
    if device in columns.names and device not in CODE_COLUMNS and not device.endswith(ENERGY_SUFFIX):
        return device
    names = device_names(columns)
    if device == "auto" and len(names) == 1:
        return names[0]
    wanted = "name the device" if device == "auto" else f"unknown device {device!r}"
    raise CostTableError(f"{columns.path}: {wanted}; choose from the columns {_listed(names)}")


def _holds_numbers(columns: Columns, name: str) -> bool:
    """Returns whether at least half of the filled cells are numbers, units included, and do not count the rows."""
    if not name:
        return False
    texts, numbers = columns.texts(name), read_numbers(columns, name)
    filled = sum(map(bool, texts))
    meant = sum(
        np.isfinite(number) or bool(_WITH_UNIT.fullmatch(text)) for text, number in zip(texts, numbers, strict=True)
    )
    counts_rows = len(numbers) > 1 and _INDEX.fullmatch(name) and bool((np.diff(numbers) == 1).all())
    return bool(2 * meant >= filled) and not counts_rows


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if names else "none"

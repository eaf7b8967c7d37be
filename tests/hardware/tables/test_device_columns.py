"""Columns of devices among others."""

from pathlib import Path

import pytest

from surrogate_nas.errors import CostTableError
from surrogate_nas.hardware.tables.device_columns import device_column, device_names, number_columns
from surrogate_nas.hardware.tables.text_columns import Columns

CELLS = {
    "": ["0", "1", "2"],
    "index": ["5", "6", "7"],
    "code": ["00", "01", "02"],
    "phone": ["1.5", "2ms", ""],
    "board": ["3", "4", "5"],  # counts, but has the name of a device
    "note": ["slow", "as ever", "2"],
    "date": ["2026-11-27", "2026-11-27", "2026-11-28"],
    "phone_energy_mj": ["1", "2", "3"],
    "empty": ["", "", ""],
}


def test_texts_and_counted_rows_are_left_out() -> None:
    columns = Columns(Path("t.csv"), CELLS)
    assert device_names(columns) == ["phone", "board", "empty"]
    assert number_columns(columns) == ["phone", "board", "phone_energy_mj", "empty"]


def test_auto_takes_the_only_device_and_names_stay_possible() -> None:
    columns = Columns(Path("t.csv"), {name: CELLS[name] for name in ("", "code", "phone", "date")})
    assert device_column(columns, "auto") == "phone"
    assert device_column(columns, "date") == "date"
    with pytest.raises(CostTableError, match="unknown device 'code'; choose from the columns phone"):
        device_column(columns, "code")

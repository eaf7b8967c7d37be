"""Columns of devices among others."""

from pathlib import Path

import pytest

from surrogate_nas.errors import CostTableError
from surrogate_nas.hardware.tables.device_columns import device_column, device_names, number_columns, require_named
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
    assert device_names(columns) == ["phone", "board"]
    assert number_columns(columns) == ["phone", "board", "phone_energy_mj"]


def test_an_empty_column_counts_where_there_is_no_other() -> None:
    cells = {name: CELLS[name] for name in ("code", "phone", "empty")}
    assert device_column(Columns(Path("t.csv"), cells), "auto") == "phone"
    assert device_column(Columns(Path("t.csv"), {name: CELLS[name] for name in ("code", "empty")}), "auto") == "empty"


def test_auto_takes_the_only_device_and_names_stay_possible() -> None:
    columns = Columns(Path("t.csv"), {name: CELLS[name] for name in ("", "code", "phone", "date")})
    assert device_column(columns, "auto") == "phone"
    assert device_column(columns, "date") == "date"
    with pytest.raises(CostTableError, match="unknown device 'code'; choose from the columns phone"):
        device_column(columns, "code")


@pytest.mark.parametrize("texts", [["13,102.3", "1,310.2"], ["13,102", "1,310"], ["1.310,23", "2"], ["5 KB", ""]])
def test_numbers_with_marks_that_are_not_read_still_make_a_column_whose_faults_are_said(texts: list[str]) -> None:
    columns = Columns(
        Path("t.csv"), {"code": ["0", "1"], "dev": texts, "when": ["27.11.2026", "28.11.2026"]}, [2, 3], ";"
    )
    assert number_columns(columns) == ["dev"]


NUMBERS = ["1", "2", "4"]


def test_columns_of_other_costs_in_other_units_are_no_devices() -> None:
    names = ("dev", "dev_ram_kb", "dev_energy_uj", "dev_mb")
    columns = Columns(Path("t.csv"), {"code": ["00", "01", "02"]} | dict.fromkeys(names, NUMBERS))
    assert device_names(columns) == ["dev"]
    assert device_column(columns, "auto") == "dev"
    with pytest.raises(
        CostTableError,
        match=r"t\.csv, column dev_ram_kb: its name says kilobytes; convert it .* call it dev_ram_bytes; it is",
    ):
        device_column(columns, "dev_ram_kb")
    columns = Columns(Path("t.csv"), {"code": ["00", "01", "02"], "dev_uj": NUMBERS})
    with pytest.raises(CostTableError, match="none of the columns holds latencies; of dev_uj, its name says"):
        device_column(columns, "auto")


def test_a_cost_that_is_asked_for_is_not_passed_over_for_its_unit() -> None:
    cells = {"code": ["00", "01", "02"], "dev": NUMBERS, "dev_ram_kb": NUMBERS, "other_flash_kb": NUMBERS}
    columns = Columns(Path("t.csv"), cells)
    require_named(columns, "dev", ["flash_bytes"])
    with pytest.raises(CostTableError, match=r"column dev_ram_kb: .* to bytes and call it dev_ram_bytes"):
        require_named(columns, "dev", ["ram_bytes", "flash_bytes"])
    with pytest.raises(CostTableError, match=r"column dev_mb: .* call it dev_ram_bytes or dev_flash_bytes"):
        require_named(
            Columns(Path("t.csv"), {"code": ["0", "1"], "dev": NUMBERS, "dev_mb": NUMBERS}), "auto", ["ram_bytes"]
        )

"""Units in the names of columns."""

import pytest

from surrogate_nas.hardware.tables.column_units import misnamed, unit_of_time


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        ("dev_us", "microseconds"),
        ("dev (\u03bcs)", "microseconds"),
        ("dev_\u00b5s", "microseconds"),
        ("dev_s", "seconds"),
        ("dev [s]", "seconds"),
        ("latency-ns", "nanoseconds"),
        ("dev_ms", None),
        ("dev", None),
        ("us", None),
        ("samsung_s7", None),
        ("virus", None),
    ],
)
def test_a_unit_of_time_stands_at_the_end(column: str, unit: str | None) -> None:
    assert unit_of_time(column) == unit


@pytest.mark.parametrize(
    ("column", "unit", "names"),
    [
        ("dev_ram_kb", "kilobytes", ("dev_ram_bytes",)),
        ("dev_SRAM_KiB", "kibibytes", ("dev_ram_bytes",)),
        ("dev_peak_memory_mb", "megabytes", ("dev_ram_bytes",)),
        ("ram (KB)", "kilobytes", ("ram_bytes",)),
        ("dev_flash_b", "bytes", ("dev_flash_bytes",)),
        ("my_dev_rom_bytes", "bytes", ("my_dev_flash_bytes",)),
        ("dev_mb", "megabytes", ("dev_ram_bytes", "dev_flash_bytes")),
        ("dev_bytes", "bytes", ("dev_ram_bytes", "dev_flash_bytes")),
        ("dev_energy_uj", "microjoules", ("dev_energy_mj",)),
        ("dev_uj", "microjoules", ("dev_energy_mj",)),
        ("energy_j", "joules", ("energy_mj",)),
    ],
)
def test_the_right_name_of_other_costs_is_known(column: str, unit: str, names: tuple[str, ...]) -> None:
    found = misnamed(column)
    assert found is not None
    assert (found.unit, found.right_names) == (unit, names)


@pytest.mark.parametrize(
    "column",
    ["dev_ram_bytes", "dev_flash_bytes", "ram_bytes", "dev_energy_mj", "energy_mj", "dev", "dev_b", "dev_j", "dev_us"],
)
def test_right_names_and_latencies_are_left_alone(column: str) -> None:
    assert misnamed(column) is None

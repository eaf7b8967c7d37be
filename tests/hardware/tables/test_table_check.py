"""All faults of a table at once."""

from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.cli.benches.result_lines import check_lines
from surrogate_nas.errors import CostTableError
from surrogate_nas.hardware.tables.full import TableLatency
from surrogate_nas.hardware.tables.table_check import check_table
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Space


def write(space: Space, path: Path, change: dict[int, str] | None = None) -> Path:
    rows = [f"{code},{5 + n % 7},{3 + n % 5}" for n, code in enumerate(space.digits(space.all_codes()))]
    for row, text in (change or {}).items():
        rows[row] = text
    path.write_text("\n".join(["code,phone,phone_energy_mj", *(row for row in rows if row)]) + "\n")
    return path


def test_a_good_table_is_good(space: Space, tmp_path: Path) -> None:
    check = check_table(write(space, tmp_path / "t.csv"), space)
    assert check.good
    assert (check.columns[0].smallest, check.columns[0].median, check.columns[0].largest) == (5, 8, 11)


def test_every_fault_is_counted_and_placed(space: Space, tmp_path: Path) -> None:
    change = {0: "", 1: "000000,1,1", 2: "000000,-1,1", 3: "9,,1", 4: "000004,12ms,1"}
    check = check_table(write(space, tmp_path / "t.csv", change), space)
    assert not check.good
    assert (check.rows, check.missing, check.duplicates, check.foreign) == (15624, 3, 1, 1)
    phone = check.columns[0]
    assert (phone.missing, phone.not_numbers, phone.negative) == (1, 1, 1)
    assert phone.faults == ["1 empty cell", "1 cell that is not a number", "1 value that is not above zero"]
    assert [text.split(":")[0] for text in phone.examples] == [f"line {n}, column phone" for n in (3, 4, 5)]
    assert "(got '12ms'); correct it or measure that architecture again" in phone.examples[2]
    assert check.examples == [
        "line 3: 000000 appears already in line 2",
        "line 4, column code: '9' is not an architecture of nasbench201; use a table of this space, whose codes are"
        " like 000000",
        "no row of 000001, 000002, 000003",
    ]


def test_values_of_foreign_rows_are_not_in_the_range(space: Space, tmp_path: Path) -> None:
    check = check_table(write(space, tmp_path / "t.csv", {0: "9,500,1", 1: "8,0.001,1"}), space)
    assert check.foreign == 2
    assert (check.columns[0].smallest, check.columns[0].largest) == (5, 11)


@pytest.mark.slow
def test_constant_columns_and_other_units_are_noticed_but_energies_may_be_small(space: Space, tmp_path: Path) -> None:
    codes = space.digits(space.all_codes())
    path = tmp_path / "t.csv"
    path.write_text(
        "code,same,fast,slow,energy_mj\n"
        + "".join(f"{c},4,0.0{n % 9 + 1},{9000 + n},0.0{n % 7 + 1}\n" for n, c in enumerate(codes))
    )
    same, fast, slow, energy = check_table(path, space).columns
    assert same.faults == ["every value is the same"]
    assert "looks like seconds rather than milliseconds; set hardware.latency_unit to s" in fast.faults[0]
    assert "looks like microseconds rather than milliseconds; set hardware.latency_unit to us" in slow.faults[0]
    assert energy.faults == []
    in_us = check_table(path, space, "us").columns[2]
    assert (in_us.faults, in_us.smallest) == ([], 9.0)


def test_texts_and_numbers_of_rows_are_not_devices(space: Space, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = [f"{n},{code},{5 + n % 7},noted,2026-11-27" for n, code in enumerate(space.digits(space.all_codes()))]
    path.write_text("\n".join([",code,phone,remark,date", *rows]) + "\n")
    check = check_table(path, space)
    assert check.good
    assert [column.name for column in check.columns] == ["phone"]
    assert check.ignored == ["", "remark", "date"]
    assert TableLatency(space, path, "auto").describe()["latency_ms"]["device"] == "phone"


def test_large_spaces_need_some_of_their_rows(tmp_path: Path) -> None:
    chain, path = load_space("fbnet"), tmp_path / "t.csv"
    codes = chain.digits(chain.sample(400, np.random.default_rng(0)))
    path.write_text("code,phone\n" + "".join(f"{code},{5 + n % 7}\n" for n, code in enumerate(codes)))
    assert check_table(path, chain).good
    path.write_text("code,phone\n" + "".join(f"{code},{5 + n % 7}\n" for n, code in enumerate(codes[: 30 - 4])))
    assert check_table(path, chain).missing == 4
    large = load_space("images32")
    codes = large.digits(large.sample(31, np.random.default_rng(0)))
    for count, missing in ((31, 0), (28, 2)):
        path.write_text("code,phone\n" + "".join(f"{code},{5 + n % 7}\n" for n, code in enumerate(codes[:count])))
        assert check_table(path, large).missing == missing


def test_a_table_without_rows_or_devices_is_not_good(space: Space, tmp_path: Path) -> None:
    for header in ("code", "code,phone"):
        (tmp_path / "t.csv").write_text(f"{header}\n")
        assert not check_table(tmp_path / "t.csv", space).good


def test_a_table_of_other_costs_alone_is_not_good(space: Space, tmp_path: Path) -> None:
    lines = [f"{code},{5 + n % 7}" for n, code in enumerate(space.digits(space.all_codes()))]
    for name, good in (("pi_energy_mj", False), ("pi", True)):
        (tmp_path / "t.csv").write_text("\n".join([f"code,{name}", *lines]) + "\n")
        check = check_table(tmp_path / "t.csv", space)
        assert (check.good, check.has_latencies) == (good, good)
        assert not any(column.faults for column in check.columns)


def test_a_file_without_codes_is_refused(space: Space, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(CostTableError, match=r"needs a column 'code' .* \(got a, b\)"):
        check_table(tmp_path / "t.csv", space)
    (tmp_path / "t.csv").write_text("Code,b\n1,2\n")
    with pytest.raises(CostTableError, match="name the column 'code', not 'Code'"):
        check_table(tmp_path / "t.csv", space)


def test_numbers_as_people_write_them_are_complained_about_with_line_and_remedy(tmp_path: Path) -> None:
    space = load_space("quick")
    for separator, text in ((",", '"13,10{}.3"'), (",", '"13,10{}"'), (";", "1.31{},23")):
        rows = [f"{code}{separator}{text.format(n % 10)}" for n, code in enumerate(space.digits(space.all_codes()))]
        (tmp_path / "t.csv").write_text("\n".join([f"code{separator}dev", *rows]) + "\n")
        check = check_table(tmp_path / "t.csv", space)
        assert not check.ignored
        (column,) = check.columns
        assert column.not_numbers == len(rows)
        assert column.examples[0].startswith("line 2, column dev: a latency must be")
        assert column.examples[0].endswith("write it with that mark alone, and none of thousands")


def test_a_unit_in_a_name_is_doubted_as_in_a_study(space: Space, tmp_path: Path) -> None:
    names = ("dev_us", "dev_ram_kb", "dev_energy_uj", "dev_mb", "dev")
    rows = [",".join([code, *[str(5 + n % 7)] * len(names)]) for n, code in enumerate(space.digits(space.all_codes()))]
    path = tmp_path / "t.csv"
    path.write_text("\n".join([",".join(["code", *names]), *rows]) + "\n")
    doubts = {column.name: column.doubt for column in check_table(path, space).columns}
    assert doubts["dev"] is None
    assert doubts["dev_ram_kb"] == "its name says kilobytes; convert it to bytes and call it dev_ram_bytes"
    assert doubts["dev_energy_uj"] == "its name says microjoules; convert it to millijoules and call it dev_energy_mj"
    for name in names[:-1]:
        with pytest.raises(CostTableError) as refused:
            TableLatency(space, path, name)
        assert f"t.csv, column {name}: {doubts[name]}" in str(refused.value)
    in_us = check_table(path, space, "us").columns
    assert in_us[0].doubt is None
    assert in_us[1].doubt is not None
    assert TableLatency(space, path, "dev_us", "us").describe()["latency_ms"]["smallest_ms"] == pytest.approx(0.005)


def test_a_name_that_says_milliseconds_contradicts_another_unit(space: Space, tmp_path: Path) -> None:
    codes = space.digits(space.all_codes())
    path = tmp_path / "t.csv"
    path.write_text("code,Latency [ms]\n" + "".join(f"{c},{9 + n % 7}\n" for n, c in enumerate(codes)))
    assert check_table(path, space).good
    assert check_table(path, space, "ms").good
    for unit in ("us", "s"):
        [column] = check_table(path, space, unit).columns
        assert column.faults == [
            f"its name says milliseconds, and hardware.latency_unit (--unit) is {unit}; set that to ms, or rename it"
        ]


def test_names_that_no_budget_can_have_and_costs_without_their_device_are_said(space: Space, tmp_path: Path) -> None:
    codes = space.digits(space.all_codes())
    path = tmp_path / "t.csv"
    rows = "".join(f"{c},{9 + n % 7},{8 + n % 7},{90 + n % 7},{80 + n % 7}\n" for n, c in enumerate(codes))
    path.write_text('code,phone,"a,b",phone_flash_bytes,pixel3_flash_bytes\n' + rows)
    check = check_table(path, space)
    assert [column.name for column in check.columns if column.faults] == ["a,b"]
    assert check.columns[1].faults == ["its name has ',' in it, which parts the devices of a budget; rename it"]
    assert check.orphans == ["pixel3_flash_bytes"]
    assert any("no column of latencies: pixel3_flash_bytes" in line for line in check_lines(check))

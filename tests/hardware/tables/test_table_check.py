"""All faults of a table at once."""

from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.errors import CostTableError
from surrogate_nas.hardware.tables.table_check import check_table, looks_like_seconds
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
    change = {0: "", 1: "000000,1,1", 2: "000000,-1,1", 3: "9,,1", 4: "000004,abc,1"}
    check = check_table(write(space, tmp_path / "t.csv", change), space)
    assert not check.good
    assert (check.rows, check.missing, check.duplicates, check.foreign) == (15624, 3, 1, 1)
    phone = check.columns[0]
    assert (phone.missing, phone.not_numbers, phone.negative) == (1, 1, 1)
    assert phone.faults == ["1 empty cell", "1 cell that is not a number", "1 value that is not above zero"]
    assert check.examples == [
        "line 3: 000000 appears already in line 2",
        "line 4: '9' is not an architecture of nasbench201",
        "no row of 000001",
    ]


def test_constant_columns_and_seconds_are_noticed_but_energies_may_be_small(space: Space, tmp_path: Path) -> None:
    codes = space.digits(space.all_codes())
    path = tmp_path / "t.csv"
    path.write_text(
        "code,same,fast,energy_mj\n" + "".join(f"{c},4,0.0{n % 9 + 1},0.0{n % 7 + 1}\n" for n, c in enumerate(codes))
    )
    same, fast, energy = check_table(path, space).columns
    assert same.faults == ["every value is the same"]
    assert "are these seconds? then set hardware.latency_unit to s" in fast.faults[0]
    assert energy.faults == []


def test_a_file_without_codes_is_refused(space: Space, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(CostTableError, match=r"column 'code' or 'arch' \(got a, b\)"):
        check_table(tmp_path / "t.csv", space)


def test_seconds_are_told_by_the_median() -> None:
    assert looks_like_seconds(np.array([0.01, 0.02, 5]))
    assert not looks_like_seconds(np.array([0.01, 2, 5]))
    assert not looks_like_seconds(np.zeros(0))

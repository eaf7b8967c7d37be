"""Latency tables: what is looked up, and everything that a table can get wrong."""

import csv
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from surrogate_nas.errors import CostTableError
from surrogate_nas.hardware.tables.full import TableLatency
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Space

Rows = list[list[str]]


@pytest.fixture
def small(tmp_path: Path) -> Space:
    """Returns a space of 27 architectures."""
    path = tmp_path / "small.toml"
    path.write_text(
        'name = "small"\nkind = "cell"\noperations = ["none", "skip_connect", "nor_conv_3x3"]\n'
        '[cell]\nnodes = 3\nedges = ["1<-0", "2<-0", "2<-1"]\n'
        "[network]\nchannels = 2\ncells = 1\nstages = 1\nimage_size = 4\n"
    )
    return load_space(str(path))


def rows_of(space: Space) -> Rows:
    codes = space.digits(space.all_codes())
    return [["code", "phone", "board"], *([code, f"{1 + n / 7:.4f}", f"{5 + n}"] for n, code in enumerate(codes))]


def write(path: Path, rows: Rows) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def test_values_are_looked_up_by_code_in_any_order_of_rows(small: Space, tmp_path: Path) -> None:
    rows = rows_of(small)
    shuffled = [rows[0], *np.random.default_rng(0).permutation(rows[1:]).tolist()]
    table = TableLatency(small, write(tmp_path / "t.csv", shuffled), "board")
    codes = small.sample(100, np.random.default_rng(1))
    np.testing.assert_array_equal(table.evaluate(codes)["latency_ms"], 5.0 + small.index(codes))


def test_dead_operations_count_as_they_were_measured(small: Space, tmp_path: Path) -> None:
    table = TableLatency(small, write(tmp_path / "t.csv", rows_of(small)), "board")
    # The first edge leads to a node that nothing leaves.
    assert table.evaluate([[2, 1, 0]])["latency_ms"] != table.evaluate([[0, 1, 0]])["latency_ms"]


def test_parquet_and_architectures_in_words_say_the_same(small: Space, tmp_path: Path) -> None:
    rows = rows_of(small)
    codes = small.all_codes()
    words = pa.table({"arch": [small.format(code) for code in codes], "board": [float(row[2]) for row in rows[1:]]})
    pq.write_table(words, tmp_path / "t.parquet")
    one = TableLatency(small, write(tmp_path / "t.csv", rows), "board").evaluate(codes)["latency_ms"]
    other = TableLatency(small, tmp_path / "t.parquet", "auto").evaluate(codes)["latency_ms"]
    np.testing.assert_array_equal(one, other)


def cell(row: int, column: int, value: str) -> Callable[[Rows], None]:
    def change(rows: Rows) -> None:
        rows[row][column] = value

    return change


def remove(*chosen: int) -> Callable[[Rows], None]:
    def change(rows: Rows) -> None:
        for row in sorted(chosen, reverse=True):
            del rows[row]

    return change


def constant(rows: Rows) -> None:
    for row in rows[1:]:
        row[1] = "4.0"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (cell(0, 0, "id"), "needs a column 'code' (one digit per decision) or 'arch', separated by commas, semicolons"),
        (cell(0, 1, "Phone"), "unknown device 'phone'; choose from the columns Phone, board"),
        (cell(5, 0, ""), "line 6, column code: '' is not an architecture of small; give the row a code like 000"),
        (cell(5, 0, "1.1E+02"), "a spreadsheet made it a number: import the column as text"),
        (cell(5, 0, "0112"), "line 6, column code: '0112' is not an architecture of small; use a table of this space"),
        (cell(5, 0, "019"), "line 6, column code: '019' is not an architecture of small; use a table of this space"),
        (cell(5, 0, "000"), "line 6, column code: architecture 000 appears twice, first in line 2"),
        (remove(3, 9), "2 of the 27 architectures of small are missing, the first is 002"),
        (remove(*range(1, 28)), "27 of the 27 architectures of small are missing, the first is 000"),
        (constant, "every architecture has a latency of 4"),
        *(
            (cell(4, 1, text), f"line 5, column phone: a latency must be a finite number {rest}")
            for text, rest in [
                ("", "of milliseconds above zero, with a decimal point (got an empty cell)"),
                *((text, f"of milliseconds above zero, with a decimal point (got {text!r})") for text in
                  ("nan", "inf", "-1.0", "0", "0.0", "fast", "1_0", "1,5", "1e999", "5 ms", "٣")),
            ]
        ),
    ],
)  # fmt: skip
def test_a_table_with_a_mistake_is_refused_with_its_place(
    small: Space, tmp_path: Path, change: Callable[[Rows], None], message: str
) -> None:
    rows = rows_of(small)
    change(rows)
    path = write(tmp_path / "t.csv", rows)
    with pytest.raises(CostTableError, match=re.escape(message)) as error:
        TableLatency(small, path, "phone")
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    "spoilt", [lambda code: str(int(code)), lambda code: f"{int(code)}.0", lambda code: f"'{code}", '="{}"'.format]
)
def test_codes_that_a_spreadsheet_changed_are_read_as_they_were(
    small: Space, tmp_path: Path, spoilt: Callable[[str], str]
) -> None:
    rows = rows_of(small)
    whole = TableLatency(small, write(tmp_path / "t.csv", rows), "board").evaluate(small.all_codes())["latency_ms"]
    spoilt_rows = [rows[0], *([spoilt(row[0]), *row[1:]] for row in rows[1:])]
    found = TableLatency(small, write(tmp_path / "u.csv", spoilt_rows), "board").evaluate(small.all_codes())
    np.testing.assert_array_equal(found["latency_ms"], whole)


@pytest.mark.parametrize("separator", [";", "\t", ","])
def test_tables_of_other_countries_and_with_comments_are_read(small: Space, tmp_path: Path, separator: str) -> None:
    rows = [[row[0], row[2]] for row in rows_of(small)]
    comma = separator != ","
    lines = [
        separator.join([code, ms.replace(".", ",") + ",5" if comma and code != "code" else ms, ""]) for code, ms in rows
    ]
    (tmp_path / "t.csv").write_text("\n".join(["# measured; by, hand", "", *lines, "# the end", separator * 2]) + "\n")
    table = TableLatency(small, tmp_path / "t.csv", "auto")
    expected = 5 + np.arange(27) + (0.5 if comma else 0)
    np.testing.assert_array_equal(table.evaluate(small.all_codes())["latency_ms"], expected)


def test_several_devices_need_a_name(small: Space, tmp_path: Path) -> None:
    with pytest.raises(CostTableError, match="name the device; choose from the columns phone, board"):
        TableLatency(small, write(tmp_path / "t.csv", rows_of(small)), "auto")


def test_codes_that_parquet_holds_as_numbers_are_read(small: Space, tmp_path: Path) -> None:
    codes = [int(code) for code in small.digits(small.all_codes())]
    pq.write_table(pa.table({"code": codes, "a": [float(n) for n in range(1, 28)]}), tmp_path / "t.parquet")
    values = TableLatency(small, tmp_path / "t.parquet", "a").evaluate(small.all_codes())["latency_ms"]
    np.testing.assert_array_equal(values, np.arange(1, 28))


def test_shorter_codes_of_another_space_are_refused(small: Space, tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", [["code", "a"], *([f"{n:02}", str(1 + n)] for n in range(27))])
    with pytest.raises(CostTableError, match=r"column code: '00' is not an architecture .* use a table of this space"):
        TableLatency(small, path, "a")


@pytest.mark.parametrize("device", ["raspi4", "eyeriss", "titan_rtx_256"])
def test_published_tables_load(space: Space, shared_data: Path, device: str) -> None:
    path = shared_data / "nasbench201_latency_ms.csv"
    table = TableLatency(space, path, device)
    values = table.evaluate(space.all_codes())["latency_ms"]
    with path.open(newline="") as file:
        expected = [float(row[device]) for row in csv.DictReader(file)]
    np.testing.assert_array_equal(values, expected)


def test_a_published_table_of_another_space_is_refused(space: Space, shared_data: Path) -> None:
    with pytest.raises(CostTableError, match=r"line 2, column code: .* use a table of this space"):
        TableLatency(space, shared_data / "fbnet_latency_ms.csv", "raspi4")


def test_energies_of_the_device_come_along(small: Space, tmp_path: Path) -> None:
    rows = rows_of(small)
    rows = [[*row, "board_energy_mj" if n == 0 else f"{n / 3:.4f}"] for n, row in enumerate(rows)]
    path = write(tmp_path / "t.csv", rows)
    board = TableLatency(small, path, "board")
    assert board.names == ("latency_ms", "energy_mj")
    assert board.evaluate(small.all_codes()[:1])["energy_mj"] == pytest.approx(1 / 3, abs=1e-4)
    assert board.describe()["energy_mj"]["unit"] == "millijoules"
    assert board.relative_error("energy_mj") is None
    assert TableLatency(small, path, "phone").names == ("latency_ms",)
    with pytest.raises(CostTableError, match="unknown device 'board_energy_mj'; choose from the columns phone, board"):
        TableLatency(small, path, "board_energy_mj")
    rows[3][3] = "-1"
    with pytest.raises(CostTableError, match="an energy must be a finite number of millijoules above zero"):
        TableLatency(small, write(path, rows), "board")


def test_ram_and_flash_of_the_device_come_along(small: Space, tmp_path: Path) -> None:
    rows = rows_of(small)
    names = ("board_ram_bytes", "board_flash_bytes")
    rows = [
        [*row, *(name if n == 0 else str(1000 * n + place) for place, name in enumerate(names))]
        for n, row in enumerate(rows)
    ]
    path = write(tmp_path / "t.csv", rows)
    board = TableLatency(small, path, "board")
    assert board.names == ("latency_ms", "ram_bytes", "flash_bytes")
    first = board.evaluate(small.all_codes()[:1])
    assert (first["ram_bytes"][0], first["flash_bytes"][0]) == (1000, 1001)
    assert board.describe()["ram_bytes"]["unit"] == "bytes"
    assert board.held_out_errors("ram_bytes").shape == (0,)
    assert TableLatency(small, path, "phone").names == ("latency_ms",)
    fixed = [[*row[:3], row[3] if n == 0 else "7", *row[4:]] for n, row in enumerate(rows)]
    assert TableLatency(small, write(path, fixed), "board").evaluate(small.all_codes())["ram_bytes"].max() == 7
    rows[3][3] = "12KB"
    with pytest.raises(CostTableError, match=r"board_ram_bytes: a size of RAM must be .* bytes .* \(got '12KB'\)"):
        TableLatency(small, write(path, rows), "board")


def test_what_looks_like_seconds_is_asked_about(small: Space, tmp_path: Path) -> None:
    rows = [[row[0], row[1], row[2] if n == 0 else f"{float(row[2]) / 1000}"] for n, row in enumerate(rows_of(small))]
    path = write(tmp_path / "t.csv", rows)
    with pytest.raises(
        CostTableError, match=r"looks like seconds .* set hardware\.latency_unit to s if so, to ms if not"
    ):
        TableLatency(small, path, "board")
    in_seconds, in_ms = (TableLatency(small, path, "board", unit) for unit in ("s", "ms"))
    code = small.all_codes()[:1]
    rows = [[row[0], row[2] if n == 0 else f"{float(row[2]) * 1000}"] for n, row in enumerate(rows_of(small))]
    path = write(tmp_path / "us.csv", rows)
    with pytest.raises(CostTableError, match=r"median is 18000, which looks like microseconds .* to us if so, to ms"):
        TableLatency(small, path, "board")
    assert TableLatency(small, path, "board", "us").evaluate(code)["latency_ms"] == pytest.approx(5)
    assert in_seconds.evaluate(code)["latency_ms"] == pytest.approx(5)
    assert in_ms.evaluate(code)["latency_ms"] == pytest.approx(0.005)

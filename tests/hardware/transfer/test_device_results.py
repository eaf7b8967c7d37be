"""Results of a device: read, doubted, refused."""

import re
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.errors import CostTableError, MeasurementError
from surrogate_nas.hardware.transfer.device_results import read_results, read_rows
from surrogate_nas.space.space import Space
from tests.hardware.transfer.made_results import SIZES, results, write


def test_sizes_and_options_come_along(space: Space, tmp_path: Path) -> None:
    facts = read_results(write(tmp_path / "results.csv", results(space)), space).facts
    assert facts["network"] == SIZES
    assert (facts["threads"], facts["runtime"]) == ("1", "R")


def test_equal_latencies_are_no_fault_where_nothing_is_predicted_from_them(space: Space, tmp_path: Path) -> None:
    rows = [row | {"median_ms": "0.095", "again_ms": ""} for row in results(space)]
    path = write(tmp_path / "results.csv", rows)
    assert set(read_results(path, space, fewest=1).median_ms) == {0.095}
    with pytest.raises(CostTableError, match=r"column median_ms: every architecture has a latency of 0\.095"):
        read_results(path, space)


def test_noisy_measurements_are_left_out_and_too_many_are_an_error(space: Space, tmp_path: Path) -> None:
    rows = results(space)
    rows[0]["noisy"] = "TRUE"  # as spreadsheets write it
    measured = read_results(write(tmp_path / "results.csv", rows), space)
    assert (measured.noisy, len(measured.codes)) == (1, 29)
    for row in rows[:25]:
        row["noisy"] = "True"
    with pytest.raises(MeasurementError, match=r"25 of 30 .* or --again --attempts 10 of hardware"):
        read_results(write(tmp_path / "results.csv", rows), space)
    with pytest.raises(MeasurementError, match="has 5 rows, and 10 are needed; measure the other models too"):
        read_results(write(tmp_path / "results.csv", rows[:5]), space)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("median_ms", "fast", "line 2, column median_ms: a latency must be a finite number of milliseconds"),
        ("median_ms", "12ms", "line 2, column median_ms: a latency must be"),
        ("median_ms", "", "(got an empty cell)"),
        ("median_ms", "-1", "(got '-1'); correct it"),
        ("median_ms", "1e300", "line 2, column median_ms: 1e+300 ms is beyond every device"),
        ("median_ms", "1e-320", "is beyond every device"),
        ("again_ms", "nan", "line 2, column again_ms: a latency must be a finite number"),
        ("again_ms", "1e999", "column again_ms: a latency must be a finite number"),
        ("code", "999999", "line 2, column code: '999999' is not an architecture of nasbench201; use a table"),
        ("network", "{}", "line 3, column network: results of two measurements"),
        ("device", "phone2", "line 3, column device: results of two measurements (phone2, phone); import one device"),
        ("threads", "4", "column threads: results of two measurements (4, 1)"),
        ("batch", "8", "column batch: results of two measurements (8, 1)"),
    ],
)
def test_bad_cells_are_refused_with_their_place(
    space: Space, tmp_path: Path, key: str, value: str, message: str
) -> None:
    rows = results(space)
    rows[0][key] = value
    with pytest.raises(CostTableError, match=re.escape(message)):
        read_results(write(tmp_path / "results.csv", rows), space)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("space", "0000", "measured for another space"),
        ("device", "my phone", "a device is named by letters"),
        ("network", '{"channels": "many"}', "column network: channels of a network must be a whole number"),
        ("network", "?", "column network: "),
        ("median_ms", "10.0", "every architecture has a latency of 10, so no budget"),
    ],
)
def test_bad_files_are_refused(space: Space, tmp_path: Path, key: str, value: str, message: str) -> None:
    rows = [row | {key: value} for row in results(space)]
    with pytest.raises(CostTableError, match=message):
        read_results(write(tmp_path / "results.csv", rows), space)


def test_rows_are_read_as_written_in_the_order_of_their_codes(space: Space, tmp_path: Path) -> None:
    rows = results(space)
    path = write(tmp_path / "results.csv", [row | {"more": "1"} for row in rows])
    codes = [row["code"] for row in reversed(rows)]
    assert read_rows(path, codes) == rows[::-1]
    for others in (codes[1:], [*codes, "000000"], [*codes, codes[0]]):
        with pytest.raises(CostTableError, match=r"results\.csv: it has rows of \d+, .*; measure again"):
            read_rows(path, others)
    one = write(tmp_path / "one.csv", [row | {"median_ms": "10"} for row in rows])
    assert {row["median_ms"] for row in read_rows(one, codes)} == {"10"}


@pytest.mark.parametrize(("yes", "no"), [("WAHR", "FALSCH"), ("1", "0"), ("vrai", "faux"), (" True ", "FALSE")])
def test_a_noisy_measurement_is_left_out_in_the_language_of_a_spreadsheet(
    space: Space, tmp_path: Path, yes: str, no: str
) -> None:
    rows = results(space)
    for at, row in enumerate(rows):
        row["noisy"] = yes if at < 3 else no
    assert read_results(write(tmp_path / "results.csv", rows), space).noisy == 3


@pytest.mark.parametrize("text", ["", "maybe", "2"])
def test_a_flag_that_is_none_is_refused(space: Space, tmp_path: Path, text: str) -> None:
    rows = results(space)
    rows[1]["noisy"] = text
    with pytest.raises(CostTableError, match=re.escape(f"line 3, column noisy: {text!r} is neither True nor False")):
        read_results(write(tmp_path / "results.csv", rows), space)


def test_results_that_a_spreadsheet_saved_are_read(space: Space, tmp_path: Path) -> None:
    rows = results(space)
    whole = read_results(write(tmp_path / "results.csv", rows), space)
    for row in rows:
        row |= {"code": str(int(row["code"])), "median_ms": row["median_ms"].replace(".", ",")}
        row |= {"again_ms": row["again_ms"].replace(".", ",")}
    saved = read_results(write(tmp_path / "saved.csv", rows, ";"), space)
    np.testing.assert_array_equal(saved.codes, whole.codes)
    np.testing.assert_array_equal(saved.median_ms, whole.median_ms)
    assert saved.drift == whole.drift


def test_a_network_that_never_settled_says_nothing_about_drift(space: Space, tmp_path: Path) -> None:
    rows = results(space)
    rows[5] |= {"noisy": "True", "again_ms": str(1.5 * float(rows[5]["median_ms"]))}
    assert read_results(write(tmp_path / "results.csv", rows), space, 3).drift == pytest.approx(0.02, abs=1e-4)
    rows[3] |= {"again_ms": rows[3]["median_ms"]}
    assert read_results(write(tmp_path / "results.csv", rows), space, 3).drift == 0
    rows[3] |= {"again_ms": ""}
    assert read_results(write(tmp_path / "results.csv", rows), space, 3).drift == pytest.approx(0.5, abs=1e-4)


def test_other_files_are_refused(space: Space, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("code,phone\n000000,1\n")
    with pytest.raises(CostTableError, match="the column 'median_ms' of results is missing; use what"):
        read_results(tmp_path / "t.csv", space)
    rows = [{name: value for name, value in row.items() if name != "network"} for row in results(space)]
    with pytest.raises(CostTableError, match="'network' of results is missing; measure with the"):
        read_results(write(tmp_path / "t.csv", rows), space)
    (tmp_path / "t.csv").write_text(",".join(results(space)[0]) + "\n")
    with pytest.raises(CostTableError, match="there are no rows below the header"):
        read_results(tmp_path / "t.csv", space)
    with pytest.raises(CostTableError, match="does not exist"):
        read_results(tmp_path / "missing.csv", space)


def test_an_architecture_that_appears_twice_is_named(space: Space, tmp_path: Path) -> None:
    rows = results(space)
    with pytest.raises(CostTableError, match=r"line 32, column code: architecture \d+ appears twice, first in line 2"):
        read_results(write(tmp_path / "results.csv", [*rows, rows[0]]), space)

"""Tables that carry their errors."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from surrogate_nas.costs.number_formats import Numbers
from surrogate_nas.errors import CostTableError
from surrogate_nas.hardware.conditions import conditions
from surrogate_nas.hardware.tables.full import TableLatency
from surrogate_nas.hardware.tables.predicted import (
    is_own,
    read_conditions,
    read_held_out,
    read_sizes,
    require_batch,
    require_numbers,
    require_parquet,
    require_sizes,
    typical_error,
    write_predicted,
)
from surrogate_nas.hardware.tables.table_check import check_table
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space


@pytest.fixture
def written(space: Space, tmp_path: Path) -> Path:
    path = tmp_path / "phone.parquet"
    # Far below a millisecond: what was predicted here is not asked whether it is in seconds.
    values = {"phone": 0.01 + np.arange(space.size) / 1e6}
    write_predicted(path, space, values, {"phone": np.array([-0.1, 0.0, 0.2])}, {"device": "phone"})
    return path


def test_a_folder_whose_name_is_a_tilde_is_a_folder_like_any_other(
    space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    path = Path("~/phone.parquet")
    values = {"phone": 0.01 + np.arange(space.size) / 1e6}
    write_predicted(path, space, values, {"phone": np.array([0.2])}, {"device": "phone"})
    assert read_held_out(path, "phone").tolist() == [0.2]
    assert not list((tmp_path / "home").iterdir())


def test_a_study_reads_values_and_errors(space: Space, written: Path) -> None:
    table = TableLatency(space, written, "auto")
    np.testing.assert_allclose(table.evaluate([[0, 0, 0, 0, 0, 4]])["latency_ms"], 0.01 + 4e-6)
    np.testing.assert_array_equal(table.held_out_errors("latency_ms"), [-0.1, 0.0, 0.2])
    # Predicted over measured minus one, of which the median counts.
    assert table.relative_error("latency_ms") == pytest.approx(1 / 0.9 - 1)
    assert table.describe()["latency_ms"]["notes"] == ["predicted from 3 measured networks"]


def test_other_columns_and_files_have_no_errors(written: Path, tmp_path: Path) -> None:
    assert len(read_held_out(written, "board")) == 0
    assert len(read_held_out(tmp_path / "t.csv", "board")) == 0
    pq.write_table(pa.table({"code": ["000000"]}), tmp_path / "t.parquet")
    assert len(read_held_out(tmp_path / "t.parquet", "board")) == 0


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b'{"schema": 1, "held_out_errors": {"phone": [1' + b"0" * 400 + b"]}}",
        b"{",
        b'{"schema": 0}',
        b"[]",
        json.dumps({"schema": 1, "held_out_errors": {"phone": ["x"]}}).encode(),
    ],
    ids=len,
)
def test_damaged_errors_are_refused(written: Path, content: bytes) -> None:
    table = pq.read_table(written).replace_schema_metadata({b"surrogate_nas.predicted_latency": content})
    pq.write_table(table, written)
    with pytest.raises(CostTableError, match="make the table again"):
        read_held_out(written, "phone")


def test_a_csv_cannot_carry_errors(space: Space, tmp_path: Path) -> None:
    with pytest.raises(CostTableError, match="which can carry its errors"):
        write_predicted(tmp_path / "t.csv", space, {}, {}, {})


def test_a_flipped_bit_in_a_value_is_refused(space: Space, written: Path) -> None:
    whole, part = written.read_bytes(), np.float64(0.01 + 4e-6).tobytes()
    place = whole.index(part)
    written.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    with pytest.raises(CostTableError, match=re.escape(str(written)) + ".*CRC checksum"):
        TableLatency(space, written, "auto")


def test_errors_that_are_not_what_was_written_are_refused(written: Path) -> None:
    table, key = pq.read_table(written), b"surrogate_nas.predicted_latency"
    content = table.schema.metadata[key].replace(b"-0.1", b"-0.3")
    pq.write_table(table.replace_schema_metadata({key: content}), written)
    with pytest.raises(CostTableError, match=r"checksum that it was written with.*make the table again"):
        read_held_out(written, "phone")


def test_a_newer_table_says_so(written: Path) -> None:
    table = pq.read_table(written).replace_schema_metadata({b"surrogate_nas.predicted_latency": b'{"schema": 2}'})
    pq.write_table(table, written)
    with pytest.raises(CostTableError, match="the program is older than the file"):
        read_held_out(written, "phone")


def test_a_table_of_networks_of_other_sizes_is_refused_with_the_options(space: Space, tmp_path: Path) -> None:
    sizes, path = NetworkSpec(channels=16, cells=1, image_size=8), tmp_path / "t.parquet"
    values = {"phone": 1 + np.arange(space.size, dtype=np.float64)}
    write_predicted(path, space, values, {"phone": np.zeros(3)}, {"network": sizes.described()})
    assert read_sizes(path) == sizes.described()
    require_sizes(path, replace(sizes, classes=7))
    with pytest.raises(
        CostTableError,
        match="with cells 1, image_size 8, but the study deploys cells 5, image_size 32; measure again with --cells 5"
        " --image-size 32, or set",
    ):
        require_sizes(path, replace(sizes, cells=5, image_size=32))


def test_tables_of_a_person_do_not_say_their_sizes(written: Path, tmp_path: Path) -> None:
    for path in (written, tmp_path / "t.csv"):
        assert read_sizes(path) is None
        require_sizes(path, NetworkSpec(1, 1, 8))


def test_damaged_sizes_are_refused(space: Space, tmp_path: Path) -> None:
    values = {"phone": 1 + np.arange(space.size, dtype=np.float64)}
    write_predicted(tmp_path / "t.parquet", space, values, {"phone": np.zeros(3)}, {"network": {"channels": "x"}})
    with pytest.raises(CostTableError, match="channels of a network must be a whole number"):
        read_sizes(tmp_path / "t.parquet")


@pytest.mark.parametrize(
    ("held", "wanted", "options"),
    [
        ("float32", "int8", "--precision int8"),
        ("int8", "float32", "--precision float32"),
        ("int8", "int8 with signed activations", "--precision int8 --activations signed"),
    ],
)
def test_a_table_of_networks_of_other_numbers_is_refused_with_both(
    space: Space, tmp_path: Path, held: str, wanted: Numbers, options: str
) -> None:
    path, values = tmp_path / "t.parquet", {"phone": 1 + np.arange(space.size, dtype=np.float64)}
    write_predicted(path, space, values, {"phone": np.zeros(3)}, {"dtype": held})
    with pytest.raises(
        CostTableError, match=f"networks in {held}, but the study deploys {wanted}; measure again with {options}, or"
    ):
        require_numbers(path, wanted)
    write_predicted(path, space, values, {"phone": np.zeros(3)}, {"dtype": wanted})
    require_numbers(path, wanted)


def test_another_batch_is_refused_with_both(space: Space, tmp_path: Path) -> None:
    path, values = tmp_path / "phone.parquet", {"phone": np.ones(space.size)}
    write_predicted(path, space, values, {"phone": np.zeros(3)}, {"batch": "1"})
    require_batch(path, 1)
    with pytest.raises(CostTableError, match="at batch 1, but the study deploys a batch of 8; measure again"):
        require_batch(path, 8)


def test_tables_of_a_person_do_not_say_their_numbers(written: Path, tmp_path: Path) -> None:
    for path in (written, tmp_path / "t.csv"):
        require_numbers(path, "int8")
        require_batch(path, 8)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, ""),
        (
            {"runtime": "onnxruntime 1.27", "provider": "CPU", "dtype": "int8", "threads": "1", "batch": "1"},
            "onnxruntime 1.27, CPU, int8, 1 thread, batch 1",
        ),
        ({"runtime": "trtexec", "provider": "trtexec", "threads": 4}, "trtexec, 4 threads"),
        ({"runtime": "a\nb\x1b[2J" + 90 * "x"}, "a?b?[2J" + 33 * "x"),
    ],
)
def test_a_table_says_what_its_networks_were_measured_with(
    space: Space, tmp_path: Path, facts: dict[str, object], words: str
) -> None:
    write_predicted(tmp_path / "a.parquet", space, {"phone": 5 + np.arange(space.size) / space.size}, {}, facts)
    assert read_conditions(tmp_path / "a.parquet").replace("\N{REPLACEMENT CHARACTER}", "?") == words
    shown = conditions(TableLatency(space, tmp_path / "a.parquet", "phone").describe()["latency_ms"])
    assert (
        shown.replace("\N{REPLACEMENT CHARACTER}", "?")
        == f"phone{f' ({words})' if words else ''}, from the table a.parquet"
    )


def test_a_table_of_this_project_is_in_milliseconds(space: Space, written: Path) -> None:
    assert is_own(written)
    (column,) = check_table(written, space).columns
    assert column.doubt is None
    for read in (
        lambda unit: TableLatency(space, written, "phone", unit),
        lambda unit: check_table(written, space, unit),
    ):
        read("ms")
        with pytest.raises(CostTableError, match=r"phone\.parquet: its latencies are in ms, .* and not in us"):
            read("us")


def test_the_typical_error_holds_drift_once(space: Space, tmp_path: Path) -> None:
    errors = np.full(20, -0.05) + 0.05  # predictions are five percent too long, and the device drifts by as much
    assert typical_error(errors, 0.05) == pytest.approx(0.05 + 0.05 / 0.95)
    values = {"phone": 5 + np.arange(space.size) / space.size}
    write_predicted(tmp_path / "a.parquet", space, values, {"phone": errors}, {"drift": 0.05})
    assert TableLatency(space, tmp_path / "a.parquet", "phone").relative_error("latency_ms") == pytest.approx(
        0.1026, abs=1e-3
    )


def test_a_table_of_this_project_for_another_space_is_refused(space: Space, written: Path) -> None:
    other = load_space("nasbench201")
    other.fingerprint = "0" * 16
    with pytest.raises(CostTableError, match="was made for another search space than nasbench201, so its codes mean"):
        TableLatency(other, written, "phone")
    with pytest.raises(CostTableError, match="was made for another search space"):
        check_table(written, other)
    assert check_table(written, space).good


def test_only_a_table_of_this_kind_is_replaced(space: Space, written: Path, tmp_path: Path) -> None:
    require_parquet(written)
    mine = tmp_path / "mine.parquet"
    mine.write_bytes(b"mine")
    for name in ("study.toml", "environment.json"):
        (tmp_path / name).touch()
    shutil.copy(written, tmp_path / "costs.parquet")
    for path in (mine, tmp_path / "costs.parquet"):
        with pytest.raises(CostTableError, match="is there, and no table that this command wrote"):
            write_predicted(path, space, {}, {}, {})
    assert mine.read_bytes() == b"mine"
